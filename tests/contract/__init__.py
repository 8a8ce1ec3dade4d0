"""The HTTPS contract, seen from outside."""
