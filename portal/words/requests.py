"""The words of a request that waits for a second person."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.words.safety import setting_change, setting_label
from sync.models import ChangeRequest
from sync.problems.languages import moment

Kind = ChangeRequest.Kind


@dataclass(frozen=True, slots=True)
class Change:
    name: str
    before: str
    after: str


def request_title(request: ChangeRequest) -> str:
    if request.kind == Kind.PUBLISH:
        return _("Publish the draft")
    if request.kind == Kind.REMOVALS:
        n = len(request.facts["approve"])
        return ngettext("Carry out %(n)s held removal", "Carry out %(n)s held removals", n) % {"n": n}
    return _("Change the safety settings")


def request_changes(request: ChangeRequest) -> list[Change]:
    """Of settings; what else is asked for has a page of its own."""
    if request.kind != Kind.SETTINGS:
        return []
    return [Change(setting_label(name), *setting_change(name, change)) for name, change in request.facts.items()]


def request_place(request: ChangeRequest) -> tuple[str, list[str | int]]:
    """Name and arguments of the page that shows what it is about."""
    slug = request.tenant.slug
    if request.kind == Kind.REMOVALS:
        return "approval", [slug, int(request.subject)]
    if request.kind == Kind.PUBLISH:
        return "impact", [slug, request.facts["preview"]]
    return "provisioning", [slug]


def waits_message(request: ChangeRequest) -> str:
    """For whoever asked for it."""
    if request.due_at is None:
        return _("This needs a second person. It waits under Approvals.")
    at = moment(timezone.localtime(request.due_at))
    text = _(
        "This needs a second person, and nobody else could approve it: it is carried out at %(time)s. All Owners get an e-mail."
    )
    return text % {"time": at}
