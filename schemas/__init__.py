"""The nouns of the project: samples, clips, answers, manifests, strict config. Imports nothing of ours."""
