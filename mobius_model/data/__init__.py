"""Data: an exported training set -> batches of pixels or latents, in an exact and resumable order."""
