"""What a worker process does: carries runs out, schedules them."""
