"""HTTP to the outside, and to nowhere else."""
