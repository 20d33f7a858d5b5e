"""What would become of one person if the draft were published."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.frame.render import render_page
from portal.words.aws_fields import field_label, short_path
from sync.configuration import drafts
from sync.models import Configuration, DirectoryUser, ObjectType, Operation, Standing, Tenant
from sync.people import queries as people
from sync.preview.queries import previews
from sync.preview.services import scope_of
from sync.problems.catalogue import Words, scope_words
from sync.standings import queries as standings

# By Action, as the draft's preview has it.
PREVIEWED: Mapping[str, Words] = {
    "create": gettext_lazy("If the draft were published, this person would be created in AWS."),
    "update": gettext_lazy("If the draft were published, this person would be updated in AWS."),
    "enable": gettext_lazy("If the draft were published, this person would be enabled in AWS."),
    "disable": gettext_lazy("If the draft were published, this person would be disabled in AWS."),
    "delete": gettext_lazy("If the draft were published, this person would be deleted in AWS."),
    "link": gettext_lazy("If the draft were published, this person would be linked with the user that AWS holds."),
}
NOTHING = gettext_lazy("If the draft were published, nothing would change for this person.")


@dataclass(frozen=True, slots=True)
class WhatIf:
    """`fields`: label and value of what would be written; `url`: the preview that says so, "" where there is no fresh one."""

    sentence: Words
    fields: list[tuple[str, object]]
    url: str = ""


@page(read=Right.READ)
def person_what_if(request: HttpRequest, tenant: Tenant, object_id: str) -> HttpResponse:
    standing = standings.standing_of(tenant, ObjectType.USER, object_id)
    if standing is None:
        raise Http404
    context = {"tenant": tenant, "person": standing, "what_if": what_if(standing)}
    return render_page(request, "people/what_if.html", context, partial="what_if")


def what_if(person: Standing) -> WhatIf | None:
    """None without a draft that changes something."""
    tenant = person.tenant
    draft = tenant.configurations.draft()
    user = DirectoryUser.objects.filter(tenant=tenant, object_id=person.object_id).first()
    if draft is None or user is None or not drafts.changes(tenant):
        return None
    preview = previews.newest_preview(tenant, draft)
    if preview is None or preview.state not in previews.PREVIEWED or previews.stale(preview, draft):
        return _by_rules(draft, user, creating=not person.scim_id)
    planned = previews.planned(preview).filter(object_type="user", object_id=person.object_id).order_by("pk").first()
    url = reverse("impact", args=[tenant.slug, preview.number])
    return WhatIf(PREVIEWED[planned.action], _fields_of(planned), url) if planned else WhatIf(NOTHING, [], url)


def _fields_of(planned: Operation) -> list[tuple[str, object]]:
    changes = {unit: change for unit, change in planned.changes.items() if isinstance(change, dict)}
    return [(field_label(unit) or short_path(unit), change.get("after")) for unit, change in changes.items()]


def _by_rules(draft: Configuration, user: DirectoryUser, *, creating: bool) -> WhatIf:
    """By today's mirror; what AWS would say to it only a preview knows."""
    scope = scope_of(draft, user)
    titles = list(draft.filters.filter(object_type="user").values_list("title", flat=True))
    reason = scope_words(scope.reason, titles)
    if scope.in_scope != user.in_scope:
        came = _("If the draft were published, this person would come into scope: %(reason)s.")
        left = _("If the draft were published, this person would leave scope: %(reason)s.")
        return WhatIf((came if scope.in_scope else left) % {"reason": reason}, [])
    changed = people.changed_by(draft, user, creating=creating) if scope.in_scope else {}
    if not changed:
        return WhatIf(NOTHING, [])
    fields: list[tuple[str, object]] = [
        (field_label(target) or short_path(target), value) for target, value in changed.items()
    ]
    return WhatIf(_("If the draft were published, these values of the person would change:"), fields)
