"""Search everywhere: people, groups, runs, tenants, pages and help, from the field in the header."""
