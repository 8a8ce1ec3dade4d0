"""Use cases that the handlers call, on ports only."""
