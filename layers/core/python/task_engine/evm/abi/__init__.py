"""Contract interfaces: what users write into call data, and what chains answer into JSON."""
