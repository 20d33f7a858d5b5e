"""The API as a whole: its operations, what it answers to errors, and its description."""

from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.operation import Operation

from portal.access.quota import TooOften
from portal.api import holds, people, runs, tenants
from portal.api.auth import Token
from portal.api.etags import NEED_MATCH, PARAMETER
from portal.api.schemas import ProblemOut
from portal.frame.problem import Problem, answer
from portal.models import Scope

DESCRIPTION = """Status, runs, people and what is held, for scripts. Sign in with a token of *API tokens*: \
`Authorization: Bearer lockstep_…`. It does no more than its scopes and its person's roles. Lists are read page by page: send `next` as \
`cursor`. Every error is a problem of RFC 9457, `application/problem+json`."""


class Api(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


api = Api(
    title="Lockstep",
    version="1",
    description=DESCRIPTION,
    openapi_url=None,
    docs_url=None,
    urls_namespace="api",
)
ROUTERS = [part.router for part in (tenants, runs, people, holds)]
for router in ROUTERS:
    api.add_router("", router)


def problem(request: HttpRequest, exception: Exception, make: Any) -> HttpResponse:
    return answer(request, make(exception))


def invalid(exception: Any) -> Problem:
    """Where it stands and what is wrong, without what was sent."""
    errors = [{"where": ".".join(map(str, one["loc"])), "detail": one["msg"]} for one in exception.errors]
    return Problem("invalid", errors=errors)


def no_token(_exception: Any) -> Problem:
    return Problem("no-token", headers={"WWW-Authenticate": "Bearer"})


def too_often(exception: Any) -> Problem:
    return Problem("too-often", headers={"Retry-After": str(exception.wait)})


HANDLERS: list[tuple[type[Exception], Any]] = [
    (Problem, lambda exception: exception),
    (Http404, lambda _exception: Problem("not-found")),
    (PermissionDenied, lambda exception: Problem("forbidden", detail=str(exception))),
    (ValidationError, invalid),
    (AuthenticationError, no_token),
    (HttpError, lambda _exception: Problem("bad-request")),
    (TooOften, too_often),
]
for kind, make in HANDLERS:
    api.add_exception_handler(kind, partial(problem, make=make))


def scopes() -> dict[str, Scope]:
    """Which one each operation needs, by its id."""
    found = [one for router in ROUTERS for view in router.path_operations.values() for one in view.operations]
    return {one.view_func.__name__: one.auth_param.scope for one in found if isinstance(one.auth_param, Token)}


def description() -> dict[str, Any]:
    """OpenAPI 3.1, with the problem that every operation may answer."""
    found: dict[str, Any] = api.get_openapi_schema(path_prefix="/api/v1/")
    found["components"]["schemas"]["ProblemOut"] = ProblemOut.model_json_schema()
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    for operations in found["paths"].values():
        for one in operations.values():
            one["responses"]["default"] = {"description": "A problem", "content": content}
            if one["operationId"] in NEED_MATCH:
                one["parameters"] = [*one.get("parameters", []), PARAMETER]
    return found
