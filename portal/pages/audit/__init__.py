"""The audit log: what people did, of one tenant and of the whole installation."""
