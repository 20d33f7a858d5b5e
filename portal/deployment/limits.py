"""What a request may bring, for the web server, which counts before anything is read, and for Django."""

MEGABYTE = 1024 * 1024
# A form; on the one page for it a configuration file of 5 MB (sync/configuration/files/json_text.py).
BODY_BYTES = MEGABYTE
FILE_BODY_BYTES = 6 * MEGABYTE
HEAD_BYTES = 32 * 1024
# From the connection to the end of the head; from there to the end of a form.
HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
# A thread that still reads a file or sends an answer to a slow client then is set free.
REQUEST_SECONDS = 120.0
SEND_SECONDS = 20
# Of connections that are not whole requests yet: how many, and what they have sent together.
MOST_WAITING = 500
MOST_WAITING_BYTES = 64 * MEGABYTE
# The kernel takes an answer of this size off a thread's hands, if its own limit allows (net.core.wmem_max).
SEND_BUFFER_BYTES = MEGABYTE
