"""What the engine does, one file per behaviour; each case runs in-process and deployed."""
