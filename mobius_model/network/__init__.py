"""The network: a 2D UNet and its temporal branch, in series or in parallel."""
