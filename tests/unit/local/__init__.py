"""The local stage's own parts."""
