"""What can go wrong with Entra's token endpoint and Microsoft Graph.

GraphError
 ├─ SignInFailed      the token endpoint refused (AADSTS code)
 │   └─ FederationFailed  there is no usable token of the other issuer; Entra was not asked
 ├─ Unauthorised      401 from Graph
 ├─ Forbidden         403: a permission is missing or not consented
 ├─ NotFound          404
 ├─ InvalidId         an id that cannot be part of a path; nothing was sent
 ├─ ResyncRequired    the delta token is dead: read everything again
 ├─ Rejected          every other 4xx, and 501: the query is not supported
 ├─ Throttled         429
 ├─ ServerError       5xx and 408
 ├─ Unreachable       no connection, or none in time
 ├─ BadAnswer         not JSON, too large, or a link that leaves Graph
 └─ BudgetExceeded    retries took longer than allowed

`permanent` tells whether the same request would fail again.
"""


class GraphError(Exception):
    permanent = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after


class SignInFailed(GraphError):
    permanent = True

    def __init__(self, message: str, *, aadsts: str | None = None, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.aadsts = aadsts


class FederationFailed(SignInFailed):
    pass


class Unauthorised(GraphError):
    permanent = True


class Forbidden(GraphError):
    permanent = True


class NotFound(GraphError):
    permanent = True


class InvalidId(GraphError):
    permanent = True


class ResyncRequired(GraphError):
    permanent = True


class Rejected(GraphError):
    permanent = True


class Throttled(GraphError):
    pass


class ServerError(GraphError):
    pass


class Unreachable(GraphError):
    pass


class BadAnswer(GraphError):
    permanent = True


class BudgetExceeded(GraphError):
    pass


BY_STATUS: dict[int, type[GraphError]] = {
    401: Unauthorised,
    403: Forbidden,
    404: NotFound,
    408: ServerError,
    429: Throttled,
    # "This operation target is not yet supported": a property that only a single user can be asked for.
    501: Rejected,
}


def error_class(status: int) -> type[GraphError]:
    return BY_STATUS.get(status, ServerError if status >= 500 else Rejected)


# The status that goes with an error's `code`, in lower case, where only its text is at hand (Graph, "Microsoft Graph error
# responses and resource types"; Entra, "Throttling guidance").
STATUS_OF_CODE: dict[str, int] = {
    "invalidauthenticationtoken": 401,
    "authorization_requestdenied": 403,
    "accessdenied": 403,
    "request_resourcenotfound": 404,
    "toomanyrequests": 429,
    "request_throttledtemporarily": 429,
    "activitylimitreached": 429,
    "service_internalservererror": 500,
    "serviceunavailable": 503,
}
