"""EXTRA_CLOUDS and EXTRA_SCIM_HOSTS: what they may say, and the words for everything else."""

import json
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal.deployment import extra_hosts

pytestmark = pytest.mark.pure
CLOUD = {"label": "Lab", "authority": "https://127.0.0.1:4433", "graph": "https://127.0.0.1:4434", "ca_file": "ca.pem"}


def clouds(monkeypatch: pytest.MonkeyPatch, value: str) -> dict[str, Any]:
    monkeypatch.setenv("EXTRA_CLOUDS", value)
    return extra_hosts.clouds("EXTRA_CLOUDS")


def test_a_cloud_and_a_scim_host_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert clouds(monkeypatch, json.dumps({"lab": CLOUD})) == {"lab": CLOUD}
    assert clouds(monkeypatch, "") == {}
    hosts = {"h:1": {"dialect": "rfc", "ca_file": None, "plain_http": True}, "i": {"dialect": "aws"}}
    monkeypatch.setenv("EXTRA_SCIM_HOSTS", json.dumps(hosts))
    assert extra_hosts.scim_hosts("EXTRA_SCIM_HOSTS") == hosts


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{", "EXTRA_CLOUDS cannot be read"),
        ("[]", "EXTRA_CLOUDS cannot be read"),
        ('{"lab": "https://x"}', "EXTRA_CLOUDS cannot be read"),
        (json.dumps({"lab": {**CLOUD, "cafile": "x"}}), "EXTRA_CLOUDS, 'lab': 'cafile' is not known"),
        ('{"lab": {"authority": "https://x"}}', "EXTRA_CLOUDS, 'lab': graph has to be https://host:port"),
        (json.dumps({"lab": {**CLOUD, "graph": "https://x/v1.0"}}), "graph has to be https://host:port"),
        (json.dumps({"lab": {**CLOUD, "graph": "https://["}}), "graph has to be https://host:port"),
        (json.dumps({"lab": {**CLOUD, "label": 3}}), "label has to be a text"),
    ],
)
def test_a_cloud_that_cannot_be_read_is_refused_with_its_place(
    monkeypatch: pytest.MonkeyPatch, value: str, words: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        clouds(monkeypatch, value)
    assert words in str(refused.value)
    assert "It has: authority, graph, label?, ca_file?" in str(refused.value)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, 'dialect has to be "aws" or "rfc"'),
        ({"dialect": "aws", "plain_http": 1}, "plain_http has to be true or false"),
    ],
)
def test_a_scim_host_that_cannot_be_read_is_refused(
    monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any], words: str
) -> None:
    monkeypatch.setenv("EXTRA_SCIM_HOSTS", json.dumps({"h:1": facts}))
    with pytest.raises(ImproperlyConfigured) as refused:
        extra_hosts.scim_hosts("EXTRA_SCIM_HOSTS")
    assert words in str(refused.value)
