"""Many rows at once, whatever they are: inserts, updates, batches. Imports Django and nothing of ours."""
