"""requests' adapter for a single host: what it works out anew for each request is worked out once."""

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connectionpool import ConnectionPool


class OneHost(HTTPAdapter):
    """One pool, one trust store for its whole life; cookies are neither kept nor read."""

    _pool: ConnectionPool | None = None

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Two threads that come first together get the same pool: the manager below keeps one per host."""
        if self._pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            HTTPAdapter.cert_verify(self, pool, request.url or "", verify, cert)  # type: ignore[no-untyped-call]
            self._pool = pool
        return self._pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Done when the pool was made."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw = resp
        response.url = req.url or ""
        response.request = req
        return response
