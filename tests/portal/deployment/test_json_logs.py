"""Logs: one JSON object a line, whatever somebody wrote into what is logged."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any
from urllib.parse import urlsplit

import pytest
from billiard.einfo import ExceptionInfo
from billiard.exceptions import WorkerLostError
from celery.beat import SchedulingError
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.test import Client
from gunicorn.config import Config

from portal.access import users
from portal.deployment import json_logs, web_server
from portal.models import User
from portal.pages.accounts.views import ChoosePassword


@contextmanager
def logging_as_in_the_product() -> Iterator[io.StringIO]:
    """What is logged meanwhile, a line each."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers = []
    written = io.StringIO()
    try:
        with redirect_stderr(written):
            json_logs.configure({"level": "INFO"})
        yield written
    finally:
        root.handlers, root.level = handlers, level


def rows(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_mail_without_a_mail_server_is_one_line_of_the_log() -> None:
    mail = EmailMessage("Sync failed", 'AWS said:\n{"event": "forged log line"}', to=["jo@acme.example"])
    with logging_as_in_the_product() as written:
        json_logs.MailBackend().send_messages([mail])
    (line,) = rows(written)
    assert (line["event"], line["to"], line["subject"]) == ("mail", ["jo@acme.example"], "Sync failed")
    assert line["body"] == mail.body


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["mail", "refused", "traceback", "used"])
def test_a_link_for_choosing_a_password_is_in_no_log(owner: User, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    link = users.password_link(owner)
    path, token = urlsplit(link).path, link.rstrip("/").rpartition("/")[2]
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    with logging_as_in_the_product() as written:
        if way == "mail":
            mail = EmailMessage("Welcome", f"Choose a password: {link}", to=[owner.email])
            json_logs.MailBackend().send_messages([mail])
        elif way == "refused":
            assert browser.post(path).status_code == 403
        elif way == "traceback":
            monkeypatch.setattr(ChoosePassword, "dispatch", _fail)
            assert browser.get(path).status_code == 500
        else:
            assert browser.get(f"{path}nothing").status_code == 404
    found = json.dumps(rows(written))
    assert "/password/[hidden]" in found
    assert token not in found


def _fail(_view: ChoosePassword, request: HttpRequest, *_args: Any, **_facts: Any) -> None:
    raise RuntimeError(f"at {request.path}")


def test_what_gunicorn_itself_says_is_json_too() -> None:
    """In its parent process, without Django."""
    config = Config()
    config.set("logger_class", web_server.logger_class)
    with logging_as_in_the_product() as written, redirect_stderr(written):
        logger = config.logger_class(config)
        logger.error("Worker (pid:%s) exited with code %s", 5, 3)
    (line,) = rows(written)
    assert (line["event"], line["level"]) == ("Worker (pid:5) exited with code 3", "error")


def test_a_broker_that_is_away_is_no_traceback_of_beat() -> None:
    """As celery.beat.Scheduler.apply_entry tells it."""
    with logging_as_in_the_product() as written:
        try:
            raise SchedulingError("Couldn't apply scheduled task dispatch: Error 111 connecting to broker:6379.")
        except SchedulingError as error:
            beat = logging.getLogger("celery.beat")
            beat.error("Message Error: %s\n%s", error, ["  File ..."], exc_info=True)
    (line,) = rows(written)
    assert line["event"].endswith("Error 111 connecting to broker:6379.")
    assert "File" not in json.dumps(line)


def test_a_child_that_was_killed_is_no_traceback_of_its_worker() -> None:
    """As celery.worker.request tells it: in the parent, whose stack says nothing of the child."""
    with logging_as_in_the_product() as written:
        try:
            raise WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL) Job: 0.")
        except WorkerLostError as error:
            request = logging.getLogger("celery.worker.request")
            request.error("Task handler raised error: %r", error, exc_info=ExceptionInfo().exc_info)
    (line,) = rows(written)
    assert "signal 9 (SIGKILL)" in line["event"]
    assert "Traceback" not in json.dumps(line)
