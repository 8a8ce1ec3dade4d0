"""Senders without a chain."""
