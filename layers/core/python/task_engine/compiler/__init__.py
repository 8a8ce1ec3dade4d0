"""From a definition to a plan; pure, deterministic, all problems at once."""
