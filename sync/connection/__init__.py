"""Both halves of a connection: credentials, clients, *Test connection*. May import the clients, the models and runs."""
