"""The keys that work on every page, as one list: what static/js/frame.js and static/js/logs.js do."""

from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.frame.menu import MENU

Words = str | Promise
ANYWHERE: Sequence[tuple[Sequence[str], Words]] = (
    (("/",), _("Search everywhere")),
    (("?",), _("This list")),
    (("Esc",), _("Close what is open")),
)
IN_LOGS: Sequence[tuple[Sequence[str], Words]] = (
    (("n",), _("Next entry")),
    (("p",), _("Previous entry")),
    (("Esc",), _("Close the entry")),
)


def shortcuts() -> list[tuple[Words, Sequence[tuple[Sequence[str], Words]]]]:
    """By where they work."""
    pages = [(("g", item.key), item.label) for _label, items in MENU for item in items if item.key]
    return [
        (_("Everywhere"), ANYWHERE),
        (_("To a page of the tenant, one key after the other"), pages),
        (_("In the logs, beside an open entry"), IN_LOGS),
    ]
