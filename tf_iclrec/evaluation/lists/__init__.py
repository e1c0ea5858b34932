"""What lists of recommendations are like, beside how often they are right."""
