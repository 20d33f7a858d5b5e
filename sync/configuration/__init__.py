"""What an admin decides: the draft, versions, edits by noun, files. May import the directory, the rules and what is below, not the engine."""
