"""The HTTP edge: requests in, problems and documents out."""
