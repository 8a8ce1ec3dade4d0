"""Pure data and rules; imports nothing of the engine but errors."""
