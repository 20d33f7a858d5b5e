"""The engine, and everything that is known about a tenant; the order of its packages is in docs/architecture.md."""
