"""From sequences to hidden states, one encoder per file."""
