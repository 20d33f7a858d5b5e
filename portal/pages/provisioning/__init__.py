"""Provisioning control: On or Off, sync now, preview, the interval, who is notified, the safety settings."""
