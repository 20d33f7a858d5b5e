"""How everybody stands, in one word each: one writer (services), one reader (queries). May import the catalogue's words."""
