"""scim2-server as a process: a SCIM server that nobody here wrote, over HTTP."""

import subprocess
import sys
from typing import Any

import requests

from tests.world.programs import free_port, until

TOKEN = "not-much-of-a-secret"


class Scim2Server:
    """`first_page_only`: one that does not page (tests.world.scim2_first_page)."""

    def __init__(self, *, first_page_only: bool = False) -> None:
        self.port = free_port()
        program = "tests.world.scim2_first_page" if first_page_only else "scim2_server.testserver.cli"
        arguments = [sys.executable, "-m", program, "--port", str(self.port), "--bearer-token", TOKEN]
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.answers)

    def answers(self) -> bool:
        try:
            return bool(self.get("ServiceProviderConfig"))
        except requests.ConnectionError:
            return False

    def get(self, path: str) -> dict[str, Any]:
        """The server's own view, not through our client."""
        with requests.Session() as session:
            session.trust_env = False
            url = f"http://127.0.0.1:{self.port}/{path}"
            found: dict[str, Any] = session.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10).json()
            return found

    def users(self) -> dict[str, dict[str, Any]]:
        return {user["userName"]: user for user in self.get("Users?count=500")["Resources"]}

    def members(self) -> dict[str, set[str]]:
        names = {user["id"]: name for name, user in self.users().items()}
        groups = self.get("Groups?count=500").get("Resources", [])
        return {group["displayName"]: {names[one["value"]] for one in group.get("members") or []} for group in groups}

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
