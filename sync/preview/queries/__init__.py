"""What pages and commands read of an edit before it is published: previews, what filters and assignments would do."""
