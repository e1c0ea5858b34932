"""Ranking against the whole catalogue."""
