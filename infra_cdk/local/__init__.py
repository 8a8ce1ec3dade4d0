"""The local stage: the same stacks on this machine, on loopback, without Docker or an account."""
