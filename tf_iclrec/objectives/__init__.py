"""Loss terms, each a function of tensors and an `Objective` that feeds it."""
