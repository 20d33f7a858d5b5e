"""The key ring: which stored secrets hang on which key."""
