"""Models of transformers, in this process: opened from safetensors on this machine, asked in batches, greedy.

Only `config` is light; what opens a model imports torch and transformers.
"""
