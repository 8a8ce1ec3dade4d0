"""Reading and simulating on a development chain."""
