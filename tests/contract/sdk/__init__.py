"""The published SDK, unchanged, against the deployed stage."""
