"""scim2-server that answers a list with its first twenty, whatever startIndex and count ask for: a server may do so."""

from typing import Any
from urllib.parse import parse_qs, urlencode
from wsgiref.simple_server import WSGIServer, make_server

from scim2_server.testserver import cli


def serve(host: str, port: int, app: Any, **options: Any) -> WSGIServer:
    def first_page(environ: Any, start_response: Any) -> Any:
        query = parse_qs(environ["QUERY_STRING"])
        if query.pop("startIndex", None):
            environ["QUERY_STRING"] = urlencode(query | {"count": ["20"]}, doseq=True)
        return app(environ, start_response)

    return make_server(host, port, first_page, **options)


cli.make_server = serve  # type: ignore[assignment]
cli.main()
