"""Training: config -> trained model, resumable to the bit."""
