"""A page on this machine in which people try a run: histories, recommendations, intents."""
