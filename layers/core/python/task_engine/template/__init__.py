"""Templates and JavaScript: what `{{ }}` and scripts can see and do."""
