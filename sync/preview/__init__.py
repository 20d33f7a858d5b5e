"""What an edit would do before it is published, and publishing."""
