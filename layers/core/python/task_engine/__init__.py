"""The Task Engine: compile, walk, template, run, watch and send."""

__version__ = "0.1.0"
