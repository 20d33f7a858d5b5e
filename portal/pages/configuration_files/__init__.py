"""Export and import of the configuration as JSON."""
