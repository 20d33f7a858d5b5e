"""The Microsoft Graph client: app-only sign-in and the directory reads that a sync needs. Pure: no Django."""
