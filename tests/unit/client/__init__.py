"""Tests of the Python client and of what the command line does without an API."""
