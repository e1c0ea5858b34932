"""Lists that are not all the same: re-ranking of the best items, one way a file."""
