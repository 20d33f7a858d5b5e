"""Whether AWS will accept everybody, before anything is sent. May import the engine and what is below it."""
