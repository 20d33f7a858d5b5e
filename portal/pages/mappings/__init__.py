"""Which Entra value lands in which AWS field, and what a real person gets."""
