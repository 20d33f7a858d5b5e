"""Facts put into words, the same on every page. Imports `sync`, nothing of portal."""
