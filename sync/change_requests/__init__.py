"""What waits for a second person: the decision on it, and carrying it out. May import the features that ask for it."""
