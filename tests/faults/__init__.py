"""Every call that the functions make, broken in every way."""
