"""What a worker process does: carries runs out, schedules them. May import everything but tasks and commands."""
