"""System health: whether this installation can do its job."""
