"""The points on which AWS's documents are silent or disagree, each with its documented default, and how AWS is today."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Switch:
    default: str
    allowed: tuple[str, ...]
    meaning: str
    # Any whole number from 0 on is allowed; `allowed` shows examples.
    number: bool = False

    def allows(self, value: str) -> bool:
        return value.isdecimal() if self.number else value in self.allowed


SWITCHES: dict[str, Switch] = {
    "page_max": Switch("100", ("100", "50"), "items per page: 100 today, 50 before August 2025"),
    "cursor": Switch("on", ("on", "off"), "cursor paging: on today, off before August 2025"),
    "group_replace_members": Switch("reject", ("reject", "allow"), "replacing or clearing all members in one PATCH"),
    "unsupported_attributes": Switch("reject", ("reject", "ignore"), "attributes that AWS does not support"),
    "unknown_member": Switch("404", ("404", "400"), "adding a member id that no user has"),
    "groups_value_unknown": Switch("empty", ("empty", "404"), "filter groups.value with an unknown group"),
    "email_case": Switch("ignore", ("ignore", "exact"), "uniqueness of e-mail addresses"),
    "display_name_case": Switch("ignore", ("ignore", "exact"), "uniqueness of group names"),
    "external_id_case": Switch("exact", ("exact", "ignore"), "uniqueness of external ids"),
    "error_detail": Switch("specific", ("specific", "generic"), "detail of a 400: specific since about 2024"),
    "error_keys": Switch("both", ("both", "schema"), "error bodies carry schema and schemas, or schema alone"),
    "ids": Switch("uuid", ("uuid", "prefixed"), "resource ids: bare UUID, or with the store's ten digits"),
    "put_active_default": Switch("true", ("true", "keep"), "PUT without active"),
    "user_quota": Switch("0", ("0", "10"), "creates are refused when so many users exist; 0: no quota", number=True),
    "group_quota": Switch("0", ("0", "10"), "creates are refused when so many groups exist; 0: no quota", number=True),
    "normalise": Switch("off", ("off", "on"), "userName and e-mail are kept trimmed, composed (NFC) and in lower case"),
    "stale_requests": Switch("0", ("0", "3"), "so many filter look-ups after a create do not find it", number=True),
    "stale_seconds": Switch("0", ("0", "2"), "filter look-ups do not find what is younger than this", number=True),
    "false_404_writes": Switch("0", ("0", "1"), "so many writes to what exists are told that it does not", number=True),
    "false_404_reads": Switch(
        "0", ("0", "1"), "so many reads by id of what exists are told that it does not", number=True
    ),
    "patch_user_answer": Switch("200", ("200", "204"), "PATCH of a user answers with the user, or with nothing"),
    "others": Switch("0", ("0", "10"), "requests a second of the quota that somebody else takes", number=True),
    "retry_after": Switch("1", ("1", "40"), "seconds that a 429 asks to wait", number=True),
    "answer_ms": Switch("0", ("0", "6000"), "milliseconds until an answer leaves", number=True),
}


def defaults() -> dict[str, str]:
    return {name: switch.default for name, switch in SWITCHES.items()}
