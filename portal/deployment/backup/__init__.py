"""Backup and restore: the database in one file, by this program alone, and the key ring in another one.

A gzipped tar of, in this order: `head.json` (what it is of, and which keys it hangs on), the database (a file of SQLite, or
a file in PostgreSQL's COPY format for each table), and `manifest.json` with a hash of each member. An archive that was cut
off has no manifest. Keys are never in it: whoever finds one opens no stored credential with it.
"""
