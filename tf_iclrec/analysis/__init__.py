"""What a finished run has learnt, in figures that people read."""
