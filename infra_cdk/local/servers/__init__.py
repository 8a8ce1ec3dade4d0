"""Real servers on loopback that the local stage's demo and the tests talk to."""
