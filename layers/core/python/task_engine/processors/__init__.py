"""One file per node type: a pure function of (node, scope, ports) to an outcome."""
