"""In-memory stand-ins for the world, with the same promises."""
