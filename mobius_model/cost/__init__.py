"""Cost: what a training step takes, counted without weights or GPU."""
