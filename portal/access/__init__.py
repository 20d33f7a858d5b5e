"""Who may do what, and who somebody is. Imports the models, `sync` and nothing else of portal."""
