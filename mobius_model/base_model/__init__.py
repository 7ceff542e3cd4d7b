"""The base of a model: VAE or codec, text encoder, tokenizer, and the UNet's shape."""
