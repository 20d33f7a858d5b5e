"""A configuration as a file: ours and Microsoft's, read, compared, applied and written."""
