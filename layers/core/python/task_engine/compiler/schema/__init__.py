"""The form of what authors send: one file per trigger and node type."""
