"""How tests of the lab speak to its parts."""

import json
from pathlib import Path
from typing import Any

import requests

from lab.aws.store import AwsStore
from lab.http import Server
from tests.world.lab import Lab


class Caller:
    """Speaks to one part; `call` gives status, body and headers."""

    def __init__(self, base: str, ca_file: Path, headers: dict[str, str]) -> None:
        self.base = base
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(ca_file)
        self.session.headers.update(headers)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        data = json.dumps(body).encode() if body is not None else None
        answer = self.session.request(method, f"{self.base}{path}", data=data, headers=headers, timeout=20)
        return answer.status_code, answer.json() if answer.content else None, answer.headers


class Aws(Caller):
    def __init__(self, store: AwsStore, server: Server, ca_file: Path) -> None:
        base = f"https://localhost:{server.port}/{store.tenant_id}/scim/v2/"
        super().__init__(base, ca_file, {"Authorization": f"Bearer {store.newest_token()}"})
        self.store = store

    def user(self, name: str, **more: Any) -> dict[str, Any]:
        status, user, _headers = self.call("POST", "Users", person(name, **more))
        assert status == 201, user
        return dict(user)


def person(name: str, **more: Any) -> dict[str, Any]:
    return {
        "userName": f"{name}@corp.example",
        "displayName": name,
        "name": {"givenName": name, "familyName": "Byron"},
        "emails": [{"value": f"{name}@corp.example", "type": "work", "primary": True}],
        **more,
    }


class GraphCaller:
    """Speaks to a running lab's Graph with a token of its own: `get("/users")` gives status and body."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = lab.facts["ca_file"]
        facts = lab.facts
        form = {
            "grant_type": "client_credentials",
            "client_id": facts["client_id"],
            "client_secret": facts["client_secret"],
            "scope": f"{facts['graph']}/.default",
        }
        url = f"{facts['authority']}/{facts['directory_id']}/oauth2/v2.0/token"
        token = self.session.post(url, data=form, timeout=20).json()["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def send(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        url = path if path.startswith("https:") else f"{self.lab.facts['graph']}/v1.0{path}"
        method = "GET" if body is None else "POST"
        return self.session.request(method, url, json=body, headers=headers, timeout=20, allow_redirects=False)

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        answer = self.send(path, **headers)
        return answer.status_code, answer.json()

    def pages(self, url: str, most: int = 1000) -> tuple[list[list[Any]], str]:
        """The pages of a list or a round, and the deltaLink (or nothing)."""
        found: list[list[Any]] = []
        while url and len(found) < most:
            status, page = self.get(url)
            assert status == 200, page
            found.append(page["value"])
            url = page.get("@odata.nextLink", "")
        return found, page.get("@odata.deltaLink", "")

    def items(self, url: str) -> tuple[list[Any], str]:
        found, link = self.pages(url)
        return [item for page in found for item in page], link
