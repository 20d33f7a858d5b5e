"""The draft: its changes for review, its impact on people, and publishing it."""
