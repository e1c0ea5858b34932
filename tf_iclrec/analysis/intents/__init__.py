"""Intents as segments of users: what is typical of each, who moves between them, what stays."""
