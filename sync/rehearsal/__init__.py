"""What the demo alone may do to stored facts, so that months can be rehearsed in minutes."""
