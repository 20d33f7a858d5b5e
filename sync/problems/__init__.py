"""The words for every problem code, and how a run's problems are grouped."""
