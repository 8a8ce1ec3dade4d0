"""What the owner of a deployment does by hand: on AWS and on the local stage alike."""
