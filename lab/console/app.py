"""The console's handler: a page for people, a JSON API for tests and scripts. Loopback only, no secrets but the lab's own."""

from urllib.parse import parse_qsl, urlsplit

from lab.aws.errors import ScimRefusal
from lab.console import actions, api, page
from lab.console.state import PageState
from lab.console.world import World
from lab.http import Request, Response

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
SAFE = ("GET", "HEAD")


class Console:
    def __init__(self, world: World) -> None:
        self.world = world

    def __call__(self, request: Request) -> Response:
        if not _from_here(request):
            return api.json_response(403, {"error": "This console answers its own pages on this machine only."})
        path = request.segments
        if path[:1] == ["api"]:
            return api.answer(self.world, request, path[1:])
        match [request.method, *path]:
            case ["GET"]:
                return page.render(self.world, request)
            case ["GET", "console.css" | "console.js" as name]:
                return page.file(name)
            case ["POST", "actions", name]:
                return self._act(name, dict(parse_qsl(request.body.decode())))
        return api.json_response(404, {"error": "There is no such page."})

    def _act(self, name: str, form: dict[str, str]) -> Response:
        """A button of the page; the answer sends the browser back to it."""
        try:
            message = actions.do(self.world, name, form)
        except (KeyError, ValueError, ScimRefusal) as error:
            message = f"Not done: {error}"
        state = PageState.back_from(form.get("back", ""))
        return Response(303, b"", {"Location": state.address(message=message)})


def _from_here(request: Request) -> bool:
    """A page of another site must not press our buttons: its Host or Origin gives it away.

    A sandboxed frame of any site sends `Origin: null` (HTML, opaque origins).
    """
    host = request.headers.get("host", "")
    if host.rpartition(":")[0] not in LOOPBACK and host not in LOOPBACK:
        return False
    origin = request.headers.get("origin")
    return request.method in SAFE or origin is None or urlsplit(origin).netloc == host
