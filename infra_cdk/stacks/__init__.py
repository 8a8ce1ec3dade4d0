"""What keeps data, and what can be replaced at any time."""
