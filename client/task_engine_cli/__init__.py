"""The command line `task-engine`."""
