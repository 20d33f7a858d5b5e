"""A tenant's life: made, turned on and off, its safety settings and its file. May import every feature."""
