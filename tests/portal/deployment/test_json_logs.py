"""Logs: one JSON object a line, whatever somebody wrote into what is logged."""

import json
import logging

import pytest
from django.core.mail import EmailMessage

from portal.deployment import json_logs


def test_a_mail_without_a_mail_server_is_one_line_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers, logging.getLogger().level
    json_logs.configure({"level": "INFO"})
    try:
        mail = EmailMessage("Sync failed", 'AWS said:\n{"event": "forged log line"}', to=["jo@acme.example"])
        json_logs.MailBackend().send_messages([mail])
    finally:
        logging.getLogger().handlers, logging.getLogger().level = before
    (line,) = capsys.readouterr().err.splitlines()
    logged = json.loads(line)
    assert (logged["event"], logged["to"], logged["subject"]) == ("mail", ["jo@acme.example"], "Sync failed")
    assert logged["body"] == mail.body
