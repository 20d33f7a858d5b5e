"""A tenant's name and time zone."""
