"""Who hears of what: channels, rules, what was sent and what came of it."""
