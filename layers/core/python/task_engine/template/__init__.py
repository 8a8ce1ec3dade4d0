"""Templates and JavaScript: what `{{…}}` means, and where user code runs."""
