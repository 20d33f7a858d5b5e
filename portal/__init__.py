"""The web room: pages, forms, access."""
