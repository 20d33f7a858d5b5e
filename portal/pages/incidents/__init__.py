"""Incidents: those that wait for somebody, and each as a thread from its beginning to its end."""
