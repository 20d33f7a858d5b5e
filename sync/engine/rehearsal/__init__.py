"""A run under the draft's rules that keeps nothing but its plan."""
