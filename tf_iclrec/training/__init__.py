"""From settings to a finished run: fit, the E-step, checkpoints, run directories."""
