"""gunicorn's own words in the form of all others: one JSON object a line (portal/deployment/json_logs.py)."""

from typing import Any

from gunicorn.glogging import Logger

from portal.deployment import json_logs


class JsonLogger(Logger):  # type: ignore[misc]
    """Its parent process has no Django: the form is set here, and by Django again in each worker."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        json_logs.configure({"level": "INFO"})
        self.error_log.handlers = []
        self.error_log.propagate = True
