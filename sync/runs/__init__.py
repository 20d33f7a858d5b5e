"""The life of a run: asked for, leased, its phases, checkpoints and results. Knows the models, audit and problems."""
