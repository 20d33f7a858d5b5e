"""Stage 3: desired values, acceptance, match, and the plan rows that follow."""
