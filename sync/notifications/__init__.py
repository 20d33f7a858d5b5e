"""Who is told what: incidents and their mails. May import the engine and what is below it."""
