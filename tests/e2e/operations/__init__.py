"""What the owners and the deployer of a stage do when something has gone wrong."""
