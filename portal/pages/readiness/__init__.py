"""Whom AWS will refuse, before it does."""
