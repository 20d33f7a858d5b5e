"""The words for every problem code, and how a run's problems are grouped. May import the models and the rules."""
