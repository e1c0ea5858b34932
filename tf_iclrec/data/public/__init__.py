"""Public logs as their publishers give them, by name: which file has what in which column."""
