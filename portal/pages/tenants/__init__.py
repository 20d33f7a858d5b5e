"""The list of tenants, and a new one."""
