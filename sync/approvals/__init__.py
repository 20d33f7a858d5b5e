"""What people approve: a plan, held changes, a link to an AWS object. May import the engine and what is below it."""
