"""Scope filters: rules for who may pass, with what they do to the people of the mirror beside every clause."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access import can, signed_in, tenant_for
from portal.forms.scope import NEW, Card, ClauseForm, ScopeForm, cards_posted, operator_choices, rows_of
from portal.http import HttpRequest
from portal.render import redirect_to, render_page, wants_partial
from portal.roles import Right
from sync import differences, filtering
from sync.filtering import Clause, Filter
from sync.mapping import ObjectType
from sync.models import Configuration, ScopingFilter, Tenant
from sync.services import configurations, drafts
from sync.services import scope as service
from sync.services.drafts import shown

EMPTY = Clause("", "EQUALS")
SHOWN = 200
# Lists behind the numbers of the page: heading and who is in it.
LISTS: Mapping[str, Any] = {
    "pass": gettext_lazy("Who passes"),
    "outside": gettext_lazy("Who does not pass"),
    "come-in": gettext_lazy("Who comes in"),
    "drop-out": gettext_lazy("Who drops out"),
    "guests": gettext_lazy("Guests"),
    "disabled": gettext_lazy("Disabled accounts"),
    "filter": gettext_lazy("Who passes this filter"),
    "clause": gettext_lazy("For whom this clause holds"),
    "empty": gettext_lazy("Whose attribute is empty"),
}


@dataclass(frozen=True, slots=True)
class Note:
    """A warning beside a clause or a filter; `url` leads to the people whom it is about."""

    text: str
    url: str = ""
    link: str = ""


@dataclass(slots=True)
class ClauseLine:
    """One row of a card. `count`: for how many it holds, None while nobody has counted."""

    form: ClauseForm
    number: int
    words: filtering.Phrase
    changed: bool = False
    count: int | None = None
    url: str = ""
    notes: list[Note] = field(default_factory=list)
    values: list[tuple[str, int]] = field(default_factory=list)


@dataclass(slots=True)
class CardLine:
    """One filter with everything that stands around it. `state`: new or changed, beside the published version."""

    card: Card
    lines: list[ClauseLine]
    state: str = ""
    before: str = ""
    count: int | None = None
    url: str = ""
    notes: list[Note] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.card.key

    @property
    def title(self) -> str:
        return self.card.filter().title


@signed_in
@require_GET
def scope(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.READ)
    object_type = object_type_of(request)
    cards = [Card.of(row, object_type) for row in rows_shown(tenant, object_type)]
    if wants_partial(request) and "find" in request.GET:
        context = {"tenant": tenant, "object_type": object_type} | found(request, tenant, object_type)
        return render_page(request, "scope/page.html", context, partial="found")
    if wants_partial(request) and "add" in request.GET:
        context = base(request, tenant, object_type) | {
            "item": lines_of(tenant, [new_card(object_type)])[0],
            "focus": first(NEW),
        }
        return render_page(request, "scope/page.html", context, partial="card")
    if "add" in request.GET:
        cards.append(new_card(object_type))
    return render_page(request, "scope/page.html", page(request, tenant, object_type, cards))


@signed_in
@require_POST
def scope_filter(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """One card: *Save*, and what only changes the form (clauses that come and go), told apart by the button."""
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    object_type = object_type_of(request)
    card = Card.posted(key, object_type, request.POST)
    deed, _colon, number = request.POST.get("do", "save").partition(":")
    if deed == "remove":
        return remove(request, tenant, card)
    if deed == "undo":
        return undo(request, tenant, card)
    if deed == "save":
        return save(request, tenant, card)
    return edited(request, tenant, card, deed, int(number) if number.isdecimal() else 0)


def save(request: HttpRequest, tenant: Tenant, card: Card) -> HttpResponse:
    if not card.check():
        return answer(request, tenant, card, status=422, focus_problem=True)
    one = card.filter()
    try:
        configurations.save_filter(
            actor=request.user.email,
            tenant=tenant,
            object_type=card.object_type,
            title=one.title,
            clauses=[dict(row) for row in rows_of(one.clauses)],
            uid=card.uid,
            seen=card.seen if card.uid else None,
        )
    except configurations.Conflict as conflict:
        return conflicting(request, tenant, card, conflict.now)
    messages.success(request, _("Saved the filter “%(title)s” in the draft.") % {"title": one.title})
    return redirect_to(request, page_url(tenant, card.object_type))


def conflicting(request: HttpRequest, tenant: Tenant, card: Card, now: object) -> HttpResponse:
    """Somebody else was faster: both versions are shown, and saving again takes this one."""
    theirs = now.rule() if isinstance(now, ScopingFilter) else None
    mine = Card.posted(card.key if theirs else NEW, card.object_type, renamed(request, card.key, theirs is None))
    mine.seen = configurations.revision(now) if isinstance(now, ScopingFilter) else ""
    context = {
        "conflict": True,
        "by": shown(tenant).changed_by,
        "theirs": theirs,
        "theirs_words": filtering.clauses_in_words(theirs, card.object_type, _) if theirs else "",
    }
    return answer(request, tenant, mine, status=409, more=context, dom_key=card.key)


def renamed(request: HttpRequest, key: str, gone: bool) -> Any:
    """What was posted, as a new card when the old one is gone."""
    if not gone:
        return request.POST
    data = request.POST.copy()
    for name in list(data):
        if name.startswith(f"{key}-"):
            data.setlist(NEW + name.removeprefix(key), data.getlist(name))
    return data


def remove(request: HttpRequest, tenant: Tenant, card: Card) -> HttpResponse:
    """Tier 0: it goes at once, and what stands in its place brings it back."""
    if card.uid:
        configurations.remove_filter(actor=request.user.email, tenant=tenant, uid=card.uid)
        title = card.filter().title
        request.session["removed_filter"] = {"key": card.key, "title": title, "clauses": rows_of(card.filter().clauses)}
    return redirect_to(request, page_url(tenant, card.object_type, removed=1))


def undo(request: HttpRequest, tenant: Tenant, card: Card) -> HttpResponse:
    """Back to the published version; a filter that this has not comes back as it was removed."""
    key = differences.filter_key(card.uid)
    if any(one.key == key and one.before for one in drafts.changes(tenant)):
        drafts.undo(tenant=tenant, actor=request.user.email, key=key)
    elif removed := request.session.pop("removed_filter", None):
        configurations.save_filter(
            actor=request.user.email,
            tenant=tenant,
            object_type=card.object_type,
            title=removed["title"],
            clauses=removed["clauses"],
        )
    messages.success(request, _("The filter is as it was before."))
    return redirect_to(request, page_url(tenant, card.object_type))


def edited(request: HttpRequest, tenant: Tenant, card: Card, deed: str, number: int) -> HttpResponse:
    """The card with a clause more, a clause less, or as it was filled in: nothing is saved."""
    clauses = list(card.filter().clauses)
    focus = ""
    if deed == "add":
        clauses.append(EMPTY)
        focus = f"id_{card.key}-{len(clauses) - 1}-attribute"
    elif deed == "drop":
        del clauses[number : number + 1]
        focus = f"id_{card.key}-{max(0, number - 1)}-attribute" if clauses else f"add-{card.key}"
    return answer(request, tenant, card.with_rows(clauses), focus=focus, dirty=True)


def answer(
    request: HttpRequest,
    tenant: Tenant,
    card: Card,
    *,
    status: int = 200,
    focus: str = "",
    focus_problem: bool = False,
    dirty: bool = False,
    more: Mapping[str, Any] | None = None,
    dom_key: str = "",
) -> HttpResponse:
    """The card alone for htmx, else the page with the card in its place."""
    extra = {"focus": focus, "focus_problem": focus_problem, "dirty": dirty} | dict(more or {})
    if wants_partial(request):
        [item] = lines_of(tenant, [card])
        context = base(request, tenant, card.object_type) | {"item": item, "dom_key": dom_key} | extra
        response = render_page(request, "scope/page.html", context, partial="card", status=status)
        response["HX-Trigger-After-Settle"] = "recount"
        return response
    rows = rows_shown(tenant, card.object_type)
    cards = [card if row.uid == card.key else Card.of(row, card.object_type) for row in rows]
    if card.key not in [one.key for one in cards]:
        cards.append(card)
    context = page(request, tenant, card.object_type, cards) | extra | {"active_key": card.key}
    return render_page(request, "scope/page.html", context, status=status)


@signed_in
@require_http_methods(["GET", "POST"])
def scope_counts(request: HttpRequest, slug: str) -> HttpResponse:
    """What the rules do: those that are saved, or (POST) those that stand in the form."""
    posted = request.method == "POST"
    tenant = tenant_for(request, slug, Right.CONFIGURE if posted else Right.READ)
    object_type = object_type_of(request)
    if not wants_partial(request):
        return redirect_to(request, page_url(tenant, object_type, counts=1))
    saved = [Card.of(row, object_type) for row in rows_shown(tenant, object_type)]
    cards = cards_posted(request.POST, object_type) if posted else saved
    context = base(request, tenant, object_type)
    context |= counted(request, tenant, object_type, cards, saved)
    return render_page(request, "scope/page.html", context, partial="counts")


@signed_in
@require_GET
def scope_people(request: HttpRequest, slug: str) -> HttpResponse:
    """The names behind a number, by the rules of the draft."""
    tenant = tenant_for(request, slug, Right.READ)
    object_type = object_type_of(request)
    which = request.GET.get("of", "pass")
    which = which if which in LISTS else "pass"
    look = service.Look(tenant, object_type)
    everyone = chosen(request, look, which)
    names = list(islice(everyone, SHOWN))
    context = {
        "tenant": tenant,
        "object_type": object_type,
        "heading": LISTS[which],
        "about": about(request, look, which),
        "names": sorted(names, key=lambda one: one.name.casefold()),
        "n": len(names) + sum(1 for _one in everyone),
        "shown_n": len(names),
        "back": page_url(tenant, object_type),
    }
    return render_page(request, "scope/people.html", context)


@signed_in
@require_POST
def scope_settings(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    form = ScopeForm(request.POST)
    if form.is_valid():
        configurations.set_settings(actor=request.user.email, tenant=tenant, **form.settings())
        messages.success(request, _("Saved in the draft."))
    return redirect_to(request, page_url(tenant, "user"))


# --- What the page shows ---


def object_type_of(request: HttpRequest) -> ObjectType:
    return "group" if request.GET.get("object") == "group" else "user"


def page_url(tenant: Tenant, object_type: ObjectType, **query: Any) -> str:
    return with_query(reverse("scope", args=[tenant.slug]), object_type, query)


def with_query(url: str, object_type: ObjectType, query: Mapping[str, Any]) -> str:
    whole = ({"object": object_type} if object_type == "group" else {}) | dict(query)
    return f"{url}?{urlencode(whole)}" if whole else url


def rows_shown(tenant: Tenant, object_type: ObjectType) -> list[ScopingFilter]:
    return list(shown(tenant).filters.filter(object_type=object_type))


def new_card(object_type: ObjectType) -> Card:
    return Card.filled(NEW, object_type, Filter("", (EMPTY,)))


def first(key: str) -> str:
    """The id of a card's first input."""
    return f"id_{key}-title"


def base(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "object_type": object_type,
        "query": "?object=group" if object_type == "group" else "",
        "operators": operator_choices(),
        "may_edit": can(request.user, tenant, Right.CONFIGURE),
    }


def settings_of(configuration: Configuration) -> dict[str, Any]:
    people = "all" if configuration.everybody else "assigned"
    return {"people": people, "leave_out_guests": configuration.leave_out_guests}


def page(request: HttpRequest, tenant: Tenant, object_type: ObjectType, cards: Sequence[Card]) -> dict[str, Any]:
    configuration = shown(tenant)
    saved = [Card.of(row, object_type) for row in rows_shown(tenant, object_type)]
    items = lines_of(tenant, cards)
    context = base(request, tenant, object_type) | {
        "configuration": configuration,
        "items": items,
        "tabs": {name: configuration.filters.filter(object_type=name).count() for name in ("user", "group")},
        "sentence": sentence_parts(cards, object_type),
        "attributes": attributes(object_type),
        "form": ScopeForm(initial=settings_of(configuration)),
        "removed": request.session.get("removed_filter") if "removed" in request.GET else None,
        "counting": "counts" not in request.GET,
        "delete_after_days": tenant.delete_after_days,
        "focus": first(NEW) if "add" in request.GET else "",
    }
    context |= found(request, tenant, object_type)
    if "counts" in request.GET:
        context |= counted(request, tenant, object_type, cards, saved)
    elif request.GET.get("test"):
        context |= tested(service.Look(tenant, object_type), request.GET["test"])
    return context


def attributes(object_type: ObjectType) -> list[dict[str, str]]:
    return [{"name": one.name, "label": _(one.label)} for one in filtering.attributes(object_type)]


def sentence_parts(cards: Iterable[Card], object_type: ObjectType) -> list[list[filtering.Phrase]]:
    """Per filter its clauses in words; what is not filled in yet is left out."""
    filters = (card.filter() for card in cards)
    parts = [
        [filtering.phrase(clause, object_type, _) for clause in one.clauses if clause.attribute] for one in filters
    ]
    return [part for part in parts if part]


def lines_of(tenant: Tenant, cards: Iterable[Card]) -> list[CardLine]:
    """With what each card differs in from the published version."""
    version = shown(tenant).based_on
    before = {row.uid: row.rule() for row in version.filters.all()} if version else {}
    return [line_of(card, version, before.get(card.uid)) for card in cards]


def line_of(card: Card, version: Configuration | None, old: Filter | None) -> CardLine:
    one = card.filter()
    lines = [
        ClauseLine(form, n, filtering.phrase(clause, card.object_type, _), notes=plain_notes(clause))
        for n, (form, clause) in enumerate(zip(card.rows, one.clauses, strict=True))
    ]
    item = CardLine(card, lines)
    if version is None:
        return item
    if old is None:
        item.state = "new"
    elif (old.title, old.clauses) != (one.title, one.clauses):
        item.state, item.before = "changed", in_version(version, old, card.object_type)
        for line, clause in zip(lines, one.clauses, strict=True):
            line.changed = clause not in old.clauses
    return item


def in_version(version: Configuration, old: Filter, object_type: ObjectType) -> str:
    facts = {"n": version.number, "title": old.title, "clauses": filtering.clauses_in_words(old, object_type, _)}
    return _("In version %(n)s: %(title)s, %(clauses)s.") % facts


def plain_notes(clause: Clause) -> list[Note]:
    if not filtering.unanchored(clause):
        return []
    return [
        Note(
            _(
                "The pattern may stand anywhere in the text. To compare the whole text, begin it with ^ and end it with $."
            )
        )
    ]


# --- Counts ---


def counted(
    request: HttpRequest, tenant: Tenant, object_type: ObjectType, cards: Sequence[Card], saved: Sequence[Card]
) -> dict[str, Any]:
    """Numbers for every clause, filter and the foot. Only those of the saved draft lead to names."""
    filters = [card.filter() for card in cards]
    look = service.Look(tenant, object_type, filters)
    unread = look.unread()
    context: dict[str, Any] = {
        "items": lines_of(tenant, cards),
        "dirty": filters != [card.filter() for card in saved],
        "read": look.read,
        "unread": unread,
        "version": look.version,
        "sentence": sentence_parts(cards, object_type),
        "counting": False,
    }
    if look.read and not unread:
        counts = look.counts()
        context["counts"] = counts
        for number, item in enumerate(context["items"]):
            add_counts(tenant, item, number, counts, dirty=context["dirty"])
    person = request.POST.get("test") or request.GET.get("test")
    return context | (tested(look, person) if person else {})


def add_counts(tenant: Tenant, item: CardLine, number: int, counts: service.Counts, *, dirty: bool) -> None:
    kind = item.card.object_type
    item.count = counts.filters[number]
    item.url = "" if dirty else people_url(tenant, kind, of="filter", filter=item.key)
    item.notes += extreme(item, counts)
    for line in item.lines:
        clause = line.form.clause()
        line.count = counts.clauses[number, line.number]
        line.values = counts.suggestions(clause.attribute)
        if not dirty:
            line.url = people_url(tenant, kind, of="clause", filter=item.key, clause=line.number)
        line.notes += empty_notes(tenant, kind, clause, counts, dirty=dirty)


def people_url(tenant: Tenant, object_type: ObjectType, **query: Any) -> str:
    return with_query(reverse("scope_people", args=[tenant.slug]), object_type, query)


def extreme(item: CardLine, counts: service.Counts) -> list[Note]:
    if not counts.total:
        return []
    if item.count == 0:
        return [Note(_("Nobody who is assigned passes this filter."))]
    if item.count == counts.total:
        return [Note(_("Everybody who is assigned passes this filter, so the filters keep nobody out."))]
    return []


def empty_notes(
    tenant: Tenant, object_type: ObjectType, clause: Clause, counts: service.Counts, *, dirty: bool
) -> list[Note]:
    """Whoever has no value never passes, whatever it is compared with."""
    n = counts.empty.get(clause.attribute, 0)
    operator = filtering.operator_named(clause.operator)
    if not n or operator is None or operator.name in ("IS NULL", "IS NOT NULL"):
        return []
    text = ngettext(
        "%(attribute)s is empty for %(n)s who is assigned. Empty never passes.",
        "%(attribute)s is empty for %(n)s who are assigned. Empty never passes.",
        n,
    ) % {"attribute": clause.attribute, "n": n}
    url = "" if dirty else people_url(tenant, object_type, of="empty", attribute=clause.attribute)
    return [Note(text, url, ngettext("See %(n)s person", "See %(n)s people", n) % {"n": n})]


def chosen(request: HttpRequest, look: service.Look, which: str) -> Iterator[service.One]:
    """Whom a list shows; a filter or clause that is gone shows nobody."""
    numbers = [n for n, one in enumerate(look.gate.filters) if one.filter.uid == request.GET.get("filter")]
    number = numbers[0] if numbers else None
    index = int(request.GET["clause"]) if request.GET.get("clause", "").isdecimal() else -1
    inside = number is not None and 0 <= index < len(look.gate.filters[number].rules)
    rule = filtering.ready(Clause(request.GET.get("attribute", ""), "IS NULL"), look.object_type)
    tests: dict[str, Any] = {
        "pass": lambda one: one.passed,
        "outside": lambda one: one.assigned and not one.passed,
        "come-in": lambda one: one.now and not one.before,
        "drop-out": lambda one: one.before and not one.now,
        "guests": lambda one: one.guest,
        "disabled": lambda one: one.disabled,
        "filter": lambda one: number is not None and one.assigned and one.passes_filter(number),
        "clause": lambda one: inside and one.assigned and one.held[number][index],
        "empty": lambda one: one.assigned and rule.holds(rule.value(one.properties)),
    }
    return filter(tests[which], look.everyone())


def about(request: HttpRequest, look: service.Look, which: str) -> str:
    """What the list is about, in words."""
    if which == "empty":
        return request.GET.get("attribute", "")[:200]
    for one in look.gate.filters:
        if one.filter.uid == request.GET.get("filter"):
            return f"{one.filter.title}: {filtering.clauses_in_words(one.filter, look.object_type, _)}"
    return ""


# --- Test a person ---


def found(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> dict[str, Any]:
    text = request.GET.get("find", "")[:100]
    return {"find": text, "people": service.search(tenant, object_type, text)}


def in_words(value: object) -> str | None:
    """As Entra's pages write it; None for an empty one."""
    if value in (None, "", []):
        return None
    if isinstance(value, list):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def tested(look: service.Look, object_id: str) -> dict[str, Any]:
    test = look.test(object_id)
    if test is None:
        return {}
    verdicts = [
        {
            "title": verdict.filter.title or _("New filter"),
            "passed": verdict.passed,
            "findings": [
                {
                    "words": str(filtering.phrase(one.clause, look.object_type, _)),
                    "actual": in_words(one.actual),
                    "passed": one.passed,
                }
                for one in verdict.findings
            ],
        }
        for verdict in test.verdicts
    ]
    return {"test": test, "verdicts": verdicts}
