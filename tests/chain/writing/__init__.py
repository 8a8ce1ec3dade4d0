"""Writes through smart wallets, on a development chain."""
