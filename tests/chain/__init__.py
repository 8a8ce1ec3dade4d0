"""Tests against contracts on a development chain."""
