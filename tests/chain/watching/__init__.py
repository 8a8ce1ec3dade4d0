"""Watching a real node."""
