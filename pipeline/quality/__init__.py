"""Quality: frames -> numbers that say how good and how alike they are."""
