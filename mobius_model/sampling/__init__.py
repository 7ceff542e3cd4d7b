"""Sampling: a trained model and prompts -> GIFs."""
