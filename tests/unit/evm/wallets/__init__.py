"""Tests of the wallets."""
