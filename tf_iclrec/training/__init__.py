"""How a built model is trained: epochs, the E-step, checkpoints, pre-training, several devices."""
