"""The lab as a process, reached as the product reaches it: over HTTP(S)."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import requests

ROOT = Path(__file__).parent.parent.parent


class Lab:
    """Starts `python -m lab`; `facts` is the line that it prints (endpoints, CA file, ids, secrets)."""

    def __init__(self, state: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lab", "--state", str(state), *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "The lab said nothing: see its standard error above."
        self.facts: dict[str, Any] = json.loads(line)
        self.session = requests.Session()
        self.session.trust_env = False
        self.at_first: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.session.close()
        self.process.terminate()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The console's JSON API: `call("POST", "entra/hire", {...})`."""
        answer = self.session.request(method, f"{self.facts['console']}api/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    @property
    def scim_host(self) -> str:
        return str(self.facts["scim_endpoint"]).split("/")[2]

    @property
    def clouds(self) -> dict[str, Any]:
        """For the setting EXTRA_CLOUDS."""
        keys = ("authority", "graph", "ca_file")
        return {"lab": {"label": "Rehearsal lab", **{key: self.facts[key] for key in keys}}}

    @property
    def scim_hosts(self) -> dict[str, Any]:
        """For the setting EXTRA_SCIM_HOSTS."""
        return {self.scim_host: {"dialect": "aws", "ca_file": self.facts["ca_file"]}}

    def aws(self) -> dict[str, Any]:
        state: dict[str, Any] = self.call("GET", "aws/state")
        return state

    def entra_group(self, name: str) -> dict[str, Any]:
        groups = self.call("GET", "entra/state")["groups"]
        return next(group for group in groups if group["displayName"] == name)

    def entra_user(self, user_id: str) -> dict[str, Any]:
        users = self.call("GET", "entra/state")["users"]
        return next(user for user in users if user["id"] == user_id)

    def requests(self) -> list[dict[str, Any]]:
        """What AWS received since the ledger was emptied."""
        ledger: list[dict[str, Any]] = self.call("GET", "aws/ledger")
        return ledger

    def forget_requests(self) -> None:
        self.call("DELETE", "aws/ledger")

    def begin_anew(self) -> None:
        """AWS and the company are what they were when this was first called, and so are `facts`: secrets may be new since."""
        self.call("POST" if self.at_first else "PUT", "kept/beginning")
        self.at_first = self.at_first or dict(self.facts)
        self.facts = dict(self.at_first)

    def reset(self) -> None:
        """AWS is empty, everything behaves and nothing was asked; the company stays."""
        for what in ("entra/credentials", "aws/users", "aws/switches", "faults", "graph/switches", "graph/ledger"):
            self.call("DELETE", what)
        self.forget_requests()
