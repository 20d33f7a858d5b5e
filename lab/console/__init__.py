"""The lab's console: what both sides hold now, and buttons that change the company and the services."""
