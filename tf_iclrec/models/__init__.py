"""Recommenders: an encoder with objectives, presets by name, baselines."""
