"""Structured logs: one JSON object a line, through structlog, with the secrets' field names blanked."""

import logging
import re
import sys
from collections.abc import Sequence
from typing import Any

import structlog
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from sync.runs.outages import is_outage, outage_in_words

log = structlog.get_logger(__name__)

SECRET_FIELDS = {"authorization", "token", "secret", "client_secret", "password", "scim_token", "private_key"}

# portal/pages/accounts/urls.py: choose_password.
ONE_TIME_LINK = re.compile(r"(/password/)[^/\s]+/[^/\s]+")


def blank_secrets(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: "[hidden]" if key.lower() in SECRET_FIELDS else value for key, value in event.items()}


def hide_links(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """An address with which somebody chooses a password is a password as long as nobody has: in a mail that is printed, in
    what Django says of a request that it refused, in a traceback."""
    return {
        key: ONE_TIME_LINK.sub(r"\1[hidden]", value) if isinstance(value, str) else value
        for key, value in event.items()
    }


def shorten_outages(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A database that was away for a moment is no error of ours: one line says so, wherever in the code it was noticed."""
    found = event.get("exc_info")
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if not isinstance(error, BaseException) or not is_outage(error):
        return event
    return {**event, "exc_info": None, "reason": outage_in_words(error)}


# Of Celery: beat while the broker is away, told with its own stack in the sentence every five seconds; and a worker whose
# child was killed, by whoever administers the machine or for want of memory. Another one goes on with what it was at.
NOT_OURS = {"SchedulingError", "WorkerLostError"}


def shorten_celery(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What ends from outside is no error of ours either: one line says so."""
    found = event.get("exc_info")
    # The type: what a child raised comes wrapped (billiard.einfo.ExceptionWithTraceback).
    kind = found[0] if isinstance(found, tuple) else type(found)
    if getattr(kind, "__name__", "") not in NOT_OURS:
        return event
    return {**event, "exc_info": None, "event": str(event["event"]).partition("\n")[0]}


class MailBackend(BaseEmailBackend):
    """Where there is no mail server: a mail is one line of the log, and nothing in it can pass for another line."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for mail in email_messages:
            log.info("mail", to=mail.to, subject=mail.subject, body=mail.body)
        return len(email_messages)


PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    shorten_outages,
    shorten_celery,
    structlog.processors.format_exc_info,
    blank_secrets,
    hide_links,
]


def configure(options: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: stdlib and structlog loggers share one handler and one format."""
    structlog.configure(
        processors=[*PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=PROCESSORS,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=options["level"], handlers=[handler], force=True)
    for chatty in ("urllib3", "msal", "kombu", "amqp", "celery.beat", "celery.app.trace", "celery.worker.strategy"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
