"""AWS compared with what was last written there, and repaired."""
