"""The menu of a tenant: groups, items, their marks. A table; the frame draws it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.words.changes import page_editing
from sync.models import Tenant


@dataclass(frozen=True, slots=True)
class MenuItem:
    label: str | Promise
    icon: str
    url_name: str
    args: tuple[str, ...] = ()
    # Names of the pages on which the item is the current one; its own name always counts.
    pages: tuple[str, ...] = ()
    # After `g` it goes there.
    key: str = ""


MENU: tuple[tuple[str | Promise, tuple[MenuItem, ...]], ...] = (
    ("", (MenuItem(_("Overview"), "layout-dashboard", "overview", key="o"),)),
    (
        _("Configure"),
        (
            MenuItem(
                _("Set-up"),
                "list-check",
                "setup",
                pages=(
                    "tenant_settings",
                    "tenant_delete",
                ),
            ),
            MenuItem(
                _("Connection"),
                "plug-connected",
                "connection",
                pages=("connection_entra", "connection_aws", "connection_test", "credential_renewal"),
            ),
            MenuItem(
                _("Mappings"),
                "arrows-exchange",
                "mappings",
                ("user",),
                (
                    *("mapping", "mapping_add", "mapping_remove", "mappings_reset", "expression_help", "aws_fields"),
                    *("configuration_export", "configuration_import"),
                ),
                key="m",
            ),
            MenuItem(_("Scope"), "filter", "scope", pages=("scope_people",)),
            MenuItem(
                _("Assignments"),
                "users-group",
                "assignments",
                pages=("assign", "assign_pasted", "unassign", "unassign_ticked", "application", "group"),
                key="a",
            ),
            MenuItem(
                _("Draft and versions"),
                "archive",
                "draft",
                pages=("impact", "draft_discard", "versions", "version", "version_restore"),
            ),
        ),
    ),
    (
        _("Operate"),
        (
            MenuItem(_("Provisioning"), "player-play", "provisioning", pages=("turn_on", "turn_off", "pause")),
            MenuItem(_("Approvals"), "hand-stop", "approvals", pages=("approval",)),
            MenuItem(_("Sync history"), "history", "runs", pages=("run", "run_cancel"), key="r"),
            MenuItem(_("Logs"), "list-search", "logs", pages=("log",), key="l"),
            MenuItem(
                _("Compare with AWS"), "replace", "drift", pages=("drift_repair", "only_in_aws", "only_in_aws_leave")
            ),
        ),
    ),
    (
        _("People"),
        (
            MenuItem(
                _("People"),
                "users",
                "people",
                pages=("person", "person_what_if", "person_match", "person_cut"),
                key="p",
            ),
            MenuItem(_("On demand"), "user", "on_demand", pages=("demand",)),
            MenuItem(_("Readiness"), "shield-check", "readiness"),
        ),
    ),
    (
        _("Govern"),
        (
            MenuItem(
                _("Notifications"),
                "bell",
                "notifications",
                pages=("deliveries", "channel_add", "channel", "channel_remove", "incidents", "incident"),
            ),
            MenuItem(_("Audit log"), "clipboard-list", "audit", pages=("audit_entry",)),
        ),
    ),
)


# Pages that edit the draft (portal/words/changes.py).
EDITED = ("mappings", "scope", "assignments")


def marks(draft: Sequence[str]) -> list[dict[str, object]]:
    """How many changes that are not published each page of the menu shows."""
    edited = Counter(page_editing(key) for key in draft)
    items = {item.url_name for _label, group in MENU for item in group}
    return [{"name": name, "n": edited[name]} for name in EDITED if name in items]


def menu(
    tenant: Tenant,
    page: str,
    draft: Sequence[str] = (),
    opens: Callable[[str], bool] = lambda _page: True,
    decisions: int = 0,
) -> list[dict[str, object]]:
    """`draft`: keys of the changes that are not published. `opens`: whether a page does for this person. `decisions`: how
    many wait for somebody."""
    edited = Counter(page_editing(key) for key in draft)
    return [
        {
            "label": label,
            "items": [
                {
                    "label": item.label,
                    "icon": item.icon,
                    "url": reverse(item.url_name, args=[tenant.slug, *item.args]),
                    "current": page == item.url_name or page in item.pages,
                    "attention": item.url_name == "connection" and not (tenant.entra.passed and tenant.aws.passed),
                    "name": item.url_name,
                    "key": item.key,
                    "edited": edited[item.url_name],
                    "count": decisions if item.url_name == "approvals" else 0,
                }
                for item in items
                if opens(item.url_name)
            ],
        }
        for label, items in MENU
    ]
