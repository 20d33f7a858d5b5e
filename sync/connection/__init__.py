"""Both halves of a connection: credentials, clients, *Test connection*. Knows the clients, not the engine."""
