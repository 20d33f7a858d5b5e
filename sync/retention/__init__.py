"""Retention: what is kept for how long, what goes next, and how fast the database grows."""
