"""Stage 4: limits on the whole plan; what is over them is held for a person."""
