"""Some people or one group at once, step by step, as a dry run or for real. May import the engine and what is below it."""
