"""AWS adapters against a real endpoint: the embedded emulator, started for the run."""
