"""Faults of the product that were found and are not mended yet. What they would break is not checked as long as they stand here."""

OPEN: dict[str, str] = {}
