"""What was published, when, by whom and why; two compared; going back by a new draft."""
