"""Which groups and people are to be in AWS: the tables, the search, one group, the enterprise application."""
