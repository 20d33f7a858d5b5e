"""Stage 2: who is in scope, and why."""
