"""Everything that knows how chains encode things; the only importer of chain libraries."""
