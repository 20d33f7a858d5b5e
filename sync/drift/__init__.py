"""AWS compared with what was last written there, and repaired. May import the engine and what is below it."""
