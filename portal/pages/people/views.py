"""People: how everybody stands, and one person with the reasons."""

import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.rights import can, rights_of
from portal.access.roles import Right
from portal.frame.around import May, TenantFrame
from portal.frame.paging import Pager, query_with
from portal.frame.render import render_page
from portal.pages.people.fixes import fix_links
from portal.pages.people.forms import MomentForm, PeopleForm
from portal.words.aws_fields import field_label, short_path
from portal.words.blocked import blocked
from sync import audit
from sync.drift.queries import left_of
from sync.models import DirectoryUser, ObjectType, Tenant, Word
from sync.people import queries
from sync.people.queries import PersonFacts
from sync.problems import languages
from sync.problems.catalogue import PROBLEMS
from sync.standings import queries as standings

PAGE = 50
# Who comes no further on the path of data, by the step that they do not reach.
DROPPED = {
    "assigned": _lazy("In Entra, and not assigned"),
    "in_scope": _lazy("Assigned, and not in scope"),
    "ready": _lazy("In scope, and not ready for AWS"),
    "in_aws": _lazy("Ready, and not in AWS"),
}
# Where a question can be answered otherwise, by its key: the page's name.


@page(read=Right.READ)
def people(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = PeopleForm(request.GET)
    form.is_valid()
    kind, text = form.kind_chosen, form.cleaned_data.get("q", "")
    found = Paginator(queries.find(tenant, text, **form.conditions()), PAGE).get_page(request.GET.get("page"))
    context = {
        "tenant": tenant,
        "of_people": kind == ObjectType.USER,
        "text": text,
        "kept": form.kept(),
        "narrowed": narrowed(request, form),
        "chips": chips(request, tenant, kind, form.cleaned_data.get("word", "")),
        "people": with_users(tenant, found.object_list),
        "count": found.paginator.count,
        "pager": Pager.of(request, found, label=_("People")),
        "known": standings.standings(tenant).exists(),
        "as_of": TenantFrame.of(request, tenant).newest.as_of,
    }
    return render_page(request, "people/list.html", context, partial="found")


def chips(request: HttpRequest, tenant: Tenant, kind: str, chosen: str) -> list[dict[str, Any]]:
    """One per word that anybody has; a chip drops what a link had narrowed further."""
    counts = standings.counts(tenant, kind)
    shown = [{"word": "", "label": _("All"), "n": sum(counts.values()), "on": not chosen}]
    shown += [
        {"word": word.value, "label": word.label, "n": n, "on": word == chosen} for word, n in counts.items() if n
    ]
    rest = dict.fromkeys(("code", "attribute", "dropped_at", "page"), "")
    return [one | {"url": query_with(request, word=one["word"], **rest)} for one in shown]


def narrowed(request: HttpRequest, form: PeopleForm) -> str:
    """What a link from another page narrowed the list to, in words."""
    step, code = form.cleaned_data.get("dropped_at", ""), form.cleaned_data.get("code", "")
    if step:
        return str(DROPPED[step])
    title = PROBLEMS[code].title if code in PROBLEMS else code
    return " ".join(part for part in (str(title), form.cleaned_data.get("attribute", "")) if part)


def with_users(tenant: Tenant, rows: Any) -> list[dict[str, Any]]:
    """Each standing with the person's row of the mirror."""
    found = list(rows)
    ids = [row.object_id for row in found if row.object_id]
    users = {user.object_id: user for user in DirectoryUser.objects.filter(tenant=tenant, object_id__in=ids)}
    return [{"standing": row, "user": users.get(row.object_id)} for row in found]


@page(read=Right.READ)
def person(request: HttpRequest, tenant: Tenant, object_id: str) -> HttpResponse:
    facts = facts_or_404(request, tenant, object_id)
    audit.record(request.user.email, "person.look_up", facts.standing, None, {"entra_id": object_id})
    asked = queries.questions(facts)
    blocker, verdict = queries.blocker_of(facts, asked), queries.verdict_of(facts)
    moment = MomentForm(request.GET)
    at = moment.cleaned_data["at"] if moment.is_valid() else None
    context = {
        "tenant": tenant,
        "facts": facts,
        "person": facts.standing,
        "verdict": verdict,
        "left": left_of(tenant, facts.link),
        "explanation": explanation(facts, verdict),
        "past": past_shown(facts, at) if at else None,
        "at_wrong": not moment.is_valid(),
        "questions": [{"question": one, "open": one is blocker} for one in asked],
        "path": list(zip(facts.user.scope_path, facts.path, strict=True)) if facts.user else [],
        "blocker": blocker,
        "holder": queries.holder_of(facts.standing),
        "values": shown_values(queries.values_of(facts)),
        "groups": facts.groups,
        "history": facts.history,
        "fix_links": fix_links(facts, May(rights_of(request.user, tenant)).open),
        "may_provision": can(request.user, tenant, Right.ON_DEMAND),
    }
    return render_page(request, "people/detail.html", context)


def explanation(facts: PersonFacts, verdict: queries.Verdict) -> str:
    """The verdict as a text to send."""
    user = facts.user.user_principal_name if facts.user else ""
    head = f"{facts.standing.name} ({user})" if user else facts.standing.name
    read = _("Entra read %(date)s.") % {"date": date_of(facts.read_at)} if facts.read_at else ""
    return "\n".join(line for line in (head, verdict.sentence, verdict.fix, read) if line)


def past_shown(facts: PersonFacts, at: datetime.datetime) -> dict[str, Any]:
    past = queries.as_of(facts, at)
    values = [(field_label(unit) or short_path(unit), value) for unit, value in past.values.items()]
    return {"facts": past, "values": values}


def date_of(moment: datetime.datetime) -> str:
    return languages.moment(timezone.localtime(moment))


def facts_or_404(request: HttpRequest, tenant: Tenant, object_id: str) -> PersonFacts:
    standing = standings.standing_of(tenant, ObjectType.USER, object_id)
    if standing is None:
        raise Http404
    frame = TenantFrame.of(request, tenant)
    waits = standing.word in (Word.WAITING, Word.GONE)
    blocking = blocked(tenant, frame.provisioning, frame.newest.asked_at) if waits else None
    return queries.facts_of(standing, frame.configurations.current, frame.newest.as_of.read_at, blocking)


def shown_values(values: list[queries.Value]) -> list[dict[str, Any]]:
    """`entra`: attributes and values. What is sent as it is needs no attribute's name."""
    return [
        {
            "label": field_label(value.target) or short_path(value.target),
            "entra": [
                ("" if one == value.mapped else name, one)
                for name, one in value.entra.items()
                if one not in (None, "", [])
            ],
            "value": value,
        }
        for value in values
    ]


@page(read=Right.ON_DEMAND)
def person_values(request: HttpRequest, tenant: Tenant, object_id: str) -> HttpResponse:
    """The values with what AWS holds now."""
    facts = facts_or_404(request, tenant, object_id)
    context: dict[str, Any] = {"tenant": tenant, "person": facts.standing, "live": True, "read_at": timezone.now()}
    try:
        held = queries.read_in_aws(facts)
        context |= {"values": shown_values(queries.values_of(facts, held or {})), "nobody": held is None}
    except queries.UNREADABLE:
        context |= {"values": shown_values(queries.values_of(facts)), "unreadable": True, "live": False}
    return render_page(request, "people/values.html", context, partial="values")
