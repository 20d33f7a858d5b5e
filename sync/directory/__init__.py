"""Live look-ups in Entra for pages and commands; the mirror has its own writer in the engine. May import the connection and what is below it."""
