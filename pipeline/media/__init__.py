"""Media craft: bytes -> format, structure, limits, pixels, hashes; and pixels -> bytes."""
