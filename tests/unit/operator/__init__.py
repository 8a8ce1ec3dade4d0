"""Operators without a chain."""
