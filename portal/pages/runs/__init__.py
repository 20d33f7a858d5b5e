"""One run, live; what a plan would do, and its confirmation; the history of all runs."""
