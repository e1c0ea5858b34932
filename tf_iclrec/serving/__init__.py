"""Recommendations from finished models: for many users at once, and for TF Serving."""
