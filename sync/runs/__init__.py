"""The life of a run: asked for, leased, its phases, checkpoints, results and outcomes. May import the models, audit, problems and the queue."""
