"""Recommenders: an encoder with objectives, models in closed form, pre-training."""
