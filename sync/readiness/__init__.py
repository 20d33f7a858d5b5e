"""Whether AWS will accept everybody, before anything is sent."""
