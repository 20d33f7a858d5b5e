"""Scope filters, with what they do to the people of the mirror beside every clause."""
