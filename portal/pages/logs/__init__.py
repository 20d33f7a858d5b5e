"""Provisioning logs: everything that was done, or not done, and why."""
