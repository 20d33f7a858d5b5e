"""One person: how it stands, why, and what mends it. May import the engine and what is below it."""
