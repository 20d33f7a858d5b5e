"""Where what happens comes from: person, address and request. Log lines carry it, and audit entries take it from there.

It lives in structlog's context variables: bound by the middleware, by commands, and by workers from the message that they
carry out.
"""

import getpass
import socket
import uuid
from contextlib import AbstractContextManager

from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars, get_contextvars

NAMES = ("request", "actor", "address")
# Of messages to workers.
HEADER = "lockstep-context"


def new_request_id() -> str:
    """To quote: it stands in the answer, in log lines and in audit entries."""
    return uuid.uuid4().hex[:12].upper()


def begin(**facts: str) -> None:
    """A new request on this thread; what the last one bound is gone."""
    clear_contextvars()
    add(**facts)


def add(**facts: str) -> None:
    bind_contextvars(**{name: value for name, value in facts.items() if value})


def within(**facts: str) -> AbstractContextManager[None]:
    return bound_contextvars(**facts)


def current() -> dict[str, str]:
    bound = get_contextvars()
    return {name: str(bound[name]) for name in NAMES if bound.get(name)}


def of_command(actor: str) -> AbstractContextManager[None]:
    return within(request=new_request_id(), actor=actor, address=this_account())


def this_account() -> str:
    """user@host of this process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a number without a name.
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
