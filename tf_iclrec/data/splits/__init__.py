"""Which interactions are trained on, and which are held out: one way per file."""
