"""Assignments as pages: what the tables show and count, what edits leave in the draft, what is said before."""
