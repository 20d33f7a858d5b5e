"""The two halves of the connection: state, form and test of each."""
