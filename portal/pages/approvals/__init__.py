"""What waits for a person, by name, and the decision on it."""
