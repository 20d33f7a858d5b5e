"""The calendar of credentials: when which one ends, as a page and as a file for calendars."""
