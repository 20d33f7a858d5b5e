"""What an admin decides: the draft, versions, edits by noun, files. Knows the rules and the directory, not the engine."""
