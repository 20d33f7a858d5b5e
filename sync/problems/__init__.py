"""The words for every problem code, how a run's problems are grouped, and how numbers and days are written in a language. May import the models and the rules."""
