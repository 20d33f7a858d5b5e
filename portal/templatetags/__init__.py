"""Tags and filters of templates, one module per page that needs its own; `lockstep` is loaded everywhere."""
