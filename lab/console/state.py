"""What the address of the console's page says: what is shown, searched and picked, and how far the tour is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode


@dataclass(frozen=True, slots=True)
class PageState:
    """`pick`: id of the person, group or user of AWS whose buttons are shown. `tour`: number of its step, 0 without one."""

    q: str = ""
    show: str = "people"
    page: int = 1
    pick: str = ""
    tour: int = 0
    message: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "PageState":
        return cls(
            q=parameters.get("q", "").strip(),
            show="groups" if parameters.get("show") == "groups" else "people",
            page=_number(parameters.get("page"), 1),
            pick=parameters.get("pick", ""),
            tour=_number(parameters.get("tour"), 0),
            message=parameters.get("message", ""),
        )

    @classmethod
    def back_from(cls, query: str) -> "PageState":
        return cls.of(dict(parse_qsl(query)))

    @property
    def query(self) -> str:
        usual = asdict(PageState())
        return urlencode({name: value for name, value in asdict(self).items() if value != usual[name]})

    def address(self, **changes: Any) -> str:
        query = replace(self, **changes).query
        return f"/?{query}" if query else "/"


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 6 else default
