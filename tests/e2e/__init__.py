"""Whole paths through the deployed local stage."""
