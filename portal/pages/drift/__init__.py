"""Comparing with AWS: what differs, what only AWS holds, and repairing it."""
