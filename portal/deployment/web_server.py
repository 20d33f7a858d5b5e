"""Settings of gunicorn, wherever it is started: `gunicorn -c python:portal.deployment.web_server portal.wsgi`.

What it needs of a proxy in front stands in docs/operations.md.
"""

from typing import Any

from portal.deployment import limits, watchdog

worker_class = "portal.deployment.web_worker.WaitingRoomWorker"
workers = 1
threads = 16
worker_connections = 1000
keepalive = 5
graceful_timeout = 10
loglevel = "warning"
logger_class = "portal.deployment.web_log.JsonLogger"
# Nobody talks to it, and the home of its user may be read-only.
control_socket_disable = True
# gunicorn believes whoever comes from this machine, as all do behind a proxy here: scheme and path of a request are read by
# Django alone, as BEHIND_PROXY says.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
# gunicorn's own limits of a head, beside the size of all of it.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = min(16 * 1024, limits.HEAD_BYTES)


def post_worker_init(_worker: Any) -> None:
    watchdog.start()
