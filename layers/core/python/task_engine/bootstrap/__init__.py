"""Wiring: ports to adapters, from the settings, lazily and once per process."""
