"""What surrounds every page, and what pages share. Imports access, words and `sync`, never a page."""
