"""What people approve: a plan, held changes, a link to an AWS object."""
