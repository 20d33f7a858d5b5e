"""How the installation itself does: which processes live, who is late, what is in the way. May import the models and below."""
