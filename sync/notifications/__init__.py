"""Who is told what: incidents and their mails."""
