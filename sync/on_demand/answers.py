"""Answers of AWS that were asked for beforehand, so that deciding needs no request."""

from typing import Any, cast

from sync.scim.client import Answer, Json, ScimClient
from sync.scim.errors import NotFound as NotInAws

Question = tuple[str, ...]


class NotAsked(Exception):
    """A question to AWS came up inside a transaction."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self.question = question


class Answers:
    """What AWS holds, asked beforehand: nothing waits for the network while the database is locked."""

    def __init__(self, client: ScimClient) -> None:
        self.client = client
        self.known: dict[Question, Any] = {}

    def ask(self, question: Question) -> None:
        method, *arguments = question
        try:
            answer = getattr(self.client, method)(*arguments)
            self.known[question] = list(answer) if method.startswith("list") else answer
        except NotInAws as error:
            self.known[question] = error

    def list_users(self) -> list[Json]:
        return cast(list[Json], self._recall("list_users"))

    def list_groups(self) -> list[Json]:
        return cast(list[Json], self._recall("list_groups"))

    def find_users(self, attribute: str, value: str) -> list[Json]:
        return cast(list[Json], self._recall("find_users", attribute, value))

    def find_groups(self, attribute: str, value: str) -> list[Json]:
        return cast(list[Json], self._recall("find_groups", attribute, value))

    def get_user(self, scim_id: str) -> Answer:
        return cast(Answer, self._recall("get_user", scim_id))

    def get_group(self, scim_id: str) -> Answer:
        return cast(Answer, self._recall("get_group", scim_id))

    def _recall(self, *question: str) -> Any:
        if question not in self.known:
            raise NotAsked(question)
        answer = self.known[question]
        if isinstance(answer, NotInAws):
            raise answer
        return answer
