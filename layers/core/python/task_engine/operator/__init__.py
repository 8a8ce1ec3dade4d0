"""Operators: what they watch, how they match it, and what they tell the engine."""
