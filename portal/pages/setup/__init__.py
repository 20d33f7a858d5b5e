"""Set-up as a list of tasks, in the order that most people take."""
