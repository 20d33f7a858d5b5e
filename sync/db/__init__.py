"""Many rows at once, whatever they are: inserts, updates and batches."""
