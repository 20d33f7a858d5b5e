"""How Lockstep is deployed: environment, processes, logs, required keys. Imports sync.connection, nothing of portal."""
