"""The JSON API: what pages show and do, for scripts with a token. It asks the same doors as the pages."""
