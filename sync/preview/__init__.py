"""What an edit would do before it is published, and publishing. May import the engine and what is below it."""
