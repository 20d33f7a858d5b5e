"""One run, in the order of its stages: reading, scope, evaluation, guard, export; `cycle` is the spine. May import the configuration and what is below; clients are handed in."""
