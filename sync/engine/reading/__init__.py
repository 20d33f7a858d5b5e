"""Stage 1: Graph rounds into the mirror, sealed only when all is there."""
