"""Provision on demand: whom, and then every step as it happens."""
