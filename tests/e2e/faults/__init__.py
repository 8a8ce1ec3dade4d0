"""What breaks beneath a deployed engine, and what must not break with it."""
