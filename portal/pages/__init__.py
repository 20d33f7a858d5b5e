"""One package per page: urls, views, forms and what the page shows. Each imports access, words, frame and `sync`; none another page."""
