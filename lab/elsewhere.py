"""A host that no client has any business with: it notes who came, and whether credentials came along."""

import json
from typing import Any

from lab.http import Request, Response


class Elsewhere:
    def __init__(self) -> None:
        self.visits: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Response:
        """Of the credentials only their presence is noted."""
        self.visits.append(
            {
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "authorization": "authorization" in request.headers,
            }
        )
        return Response(200, json.dumps({"value": []}).encode(), {"Content-Type": "application/json"})
