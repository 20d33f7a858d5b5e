"""API tokens: what scripts sign in with, for the person who made them."""
