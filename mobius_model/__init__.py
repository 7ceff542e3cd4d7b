"""The trainer: curated shards -> text-to-image, then text-to-video with the Mobius parallel UNet, then GIFs."""
