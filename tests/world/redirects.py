"""Answers that lead to another host, as `responses` gives them, and whether anybody went there."""

from typing import Any

import responses

ELSEWHERE = "https://elsewhere.example/trap"
# RFC 9110 section 15.4; the last two keep method and body.
STATUSES = (301, 302, 303, 307, 308)


def leads_elsewhere(method: str, url: str, status: int, **answer: Any) -> None:
    """`answer`: what comes with the redirect. The other host would answer."""
    responses.add(method, url, status=status, headers={"Location": ELSEWHERE}, **answer)
    for one in ("GET", "POST", "PUT", "PATCH"):
        responses.add(one, ELSEWHERE, json={"access_token": "theirs", "expires_in": 3599, "value": [], "keys": []})


def somebody_went_there() -> bool:
    return any(str(call.request.url).startswith(ELSEWHERE) for call in responses.calls)
