"""The first Owner, and one's own settings."""
