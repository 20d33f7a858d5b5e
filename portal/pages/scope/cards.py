"""What the Scope page shows: cards with what they differ in, numbers and warnings beside them, a person tested."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access.request import HttpRequest, whole_number
from portal.access.rights import can
from portal.access.roles import Right
from portal.pages.scope.forms import NEW, Card, ClauseForm, ScopeForm, operator_choices
from sync.configuration.drafts import draft_or_current
from sync.models import Configuration, ScopingFilter, Tenant
from sync.preview.queries import filter_effects as service
from sync.rules import filters as filtering
from sync.rules.filter_checks import unanchored
from sync.rules.filter_words import Phrase, clauses_in_words, phrase
from sync.rules.filters import Clause, Filter, operator_named, ready
from sync.rules.rows import ObjectType

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


@dataclass(frozen=True, slots=True)
class Number:
    """`url` leads to the names, where they are those of the saved draft; `words` name to screen readers what is counted."""

    count: int
    url: str = ""
    words: str = ""


@dataclass(slots=True)
class ClauseLine:
    """One row of a card. `tally`: for how many it holds, None while nobody has counted."""

    form: ClauseForm
    number: int
    words: Phrase
    changed: bool = False
    tally: Number | None = None
    notes: list[Note] = field(default_factory=list)
    values: list[tuple[str, int]] = field(default_factory=list)


@dataclass(slots=True)
class CardLine:
    """One filter with everything around it. `state`: new or changed, beside the published version."""

    card: Card
    lines: list[ClauseLine]
    state: str = ""
    before: str = ""
    tally: Number | None = None
    notes: list[Note] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.card.key

    @property
    def title(self) -> str:
        return self.card.filter().title


def object_type_of(request: HttpRequest) -> ObjectType:
    return "group" if request.GET.get("object") == "group" else "user"


def page_url(tenant: Tenant, object_type: ObjectType, **query: Any) -> str:
    return with_query(reverse("scope", args=[tenant.slug]), object_type, query)


def with_query(url: str, object_type: ObjectType, query: Mapping[str, Any]) -> str:
    whole = ({"object": object_type} if object_type == "group" else {}) | dict(query)
    return f"{url}?{urlencode(whole)}" if whole else url


def rows_shown(tenant: Tenant, object_type: ObjectType) -> list[ScopingFilter]:
    return list(draft_or_current(tenant).filters.filter(object_type=object_type))


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


def page_context(
    request: HttpRequest, tenant: Tenant, object_type: ObjectType, cards: Sequence[Card]
) -> dict[str, Any]:
    configuration = draft_or_current(tenant)
    rows = list(configuration.filters.all())
    saved = [Card.of(row, object_type) for row in rows if row.object_type == object_type]
    items = card_lines(configuration, cards)
    context = base(request, tenant, object_type) | {
        "configuration": configuration,
        "items": items,
        "tabs": {name: sum(row.object_type == name for row in rows) for name in ("user", "group")},
        "sentence": sentence_parts(cards, object_type),
        "attributes": attribute_choices(object_type),
        "form": ScopeForm(initial=settings_of(configuration)),
        "counting": "counts" not in request.GET,
        "delete_after_days": tenant.delete_after_days,
        "focus": first(NEW) if "add" in request.GET else "",
    }
    context |= found_people(request, tenant, object_type)
    if "counts" in request.GET:
        context |= counted(request, tenant, object_type, cards, saved)
    elif request.GET.get("test"):
        context |= tested(service.FilterEffects(tenant, object_type), request.GET["test"])
    return context


def attribute_choices(object_type: ObjectType) -> list[dict[str, str]]:
    return [{"name": one.name, "label": _(one.label)} for one in filtering.attributes(object_type)]


def sentence_parts(cards: Iterable[Card], object_type: ObjectType) -> list[list[Phrase]]:
    """Per filter its clauses in words; what is not filled in yet is left out."""
    filters = (card.filter() for card in cards)
    parts = [[phrase(clause, object_type, _) for clause in one.clauses if clause.attribute] for one in filters]
    return [part for part in parts if part]


def card_lines(configuration: Configuration, cards: Iterable[Card]) -> list[CardLine]:
    """With what each card differs in from the published version."""
    version = configuration.based_on
    before = {row.uid: row.rule() for row in version.filters.all()} if version else {}
    return [card_line(card, version, before.get(card.uid)) for card in cards]


def card_line(card: Card, version: Configuration | None, old: Filter | None) -> CardLine:
    one = card.filter()
    lines = [
        ClauseLine(form, n, phrase(clause, card.object_type, _), notes=plain_notes(clause))
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
    facts = {"n": version.number, "title": old.title, "clauses": clauses_in_words(old, object_type, _)}
    return _("In version %(n)s: %(title)s, %(clauses)s.") % facts


def plain_notes(clause: Clause) -> list[Note]:
    if not unanchored(clause):
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
    look = service.FilterEffects(tenant, object_type, filters)
    unread = look.unread()
    context: dict[str, Any] = {
        "items": card_lines(look.configuration, cards),
        "dirty": filters != [card.filter() for card in saved],
        "read": look.read,
        "unread": unread,
        "version": look.version,
        "sentence": sentence_parts(cards, object_type),
        "counting": False,
    }
    if look.read and not unread:
        counts = look.counts()
        context |= {"counts": counts} | foot(tenant, object_type, counts, dirty=context["dirty"])
        for number, item in enumerate(context["items"]):
            add_counts(tenant, item, number, counts, dirty=context["dirty"])
    person = request.POST.get("test") or request.GET.get("test")
    return context | (tested(look, person) if person else {})


def foot(tenant: Tenant, object_type: ObjectType, counts: service.FilterCounts, *, dirty: bool) -> dict[str, Number]:
    """The numbers that are about all filters together, by the names of the template."""

    def number(count: int, of: str) -> Number:
        return Number(count, people_url(tenant, object_type, of=of) if count and not dirty else "")

    return {
        "passing": number(counts.passing, "pass"),
        "outside": number(counts.total - counts.passing, "outside"),
        "come_in": number(counts.come_in, "come-in"),
        "drop_out": number(counts.drop_out, "drop-out"),
        "guests": number(counts.guests, "guests"),
        "disabled": number(counts.disabled, "disabled"),
    }


def add_counts(tenant: Tenant, item: CardLine, number: int, counts: service.FilterCounts, *, dirty: bool) -> None:
    kind = item.card.object_type
    item.tally = Number(counts.filters[number], "" if dirty else people_url(tenant, kind, of="filter", filter=item.key))
    item.notes += extreme(item.tally.count, counts.total)
    for line in item.lines:
        clause = line.form.clause()
        url = people_url(tenant, kind, of="clause", filter=item.key, clause=line.number)
        line.tally = Number(counts.clauses[number, line.number], "" if dirty else url, _("match this clause"))
        line.values = counts.suggestions(clause.attribute)
        line.notes += empty_notes(tenant, kind, clause, counts, dirty=dirty)


def people_url(tenant: Tenant, object_type: ObjectType, **query: Any) -> str:
    return with_query(reverse("scope_people", args=[tenant.slug]), object_type, query)


def extreme(count: int, total: int) -> list[Note]:
    if total and count == 0:
        return [Note(_("Nobody who is assigned passes this filter."))]
    if total and count == total:
        return [Note(_("Everybody who is assigned passes this filter, so the filters keep nobody out."))]
    return []


def empty_notes(
    tenant: Tenant, object_type: ObjectType, clause: Clause, counts: service.FilterCounts, *, dirty: bool
) -> list[Note]:
    """Whoever has no value never passes, whatever it is compared with."""
    n = counts.empty.get(clause.attribute, 0)
    operator = operator_named(clause.operator)
    if not n or operator is None or operator.name in ("IS NULL", "IS NOT NULL"):
        return []
    text = ngettext(
        "%(attribute)s is empty for %(n)s who is assigned. Empty never passes.",
        "%(attribute)s is empty for %(n)s who are assigned. Empty never passes.",
        n,
    ) % {"attribute": clause.attribute, "n": n}
    url = "" if dirty else people_url(tenant, object_type, of="empty", attribute=clause.attribute)
    return [Note(text, url, ngettext("See %(n)s person", "See %(n)s people", n) % {"n": n})]


def people_listed(request: HttpRequest, look: service.FilterEffects, which: str) -> Iterator[service.One]:
    """Whom a list shows; a filter or clause that is gone shows nobody."""
    numbers = [n for n, one in enumerate(look.gate.filters) if one.filter.uid == request.GET.get("filter")]
    number = numbers[0] if numbers else None
    index = whole_number(request.GET.get("clause", ""))
    inside = number is not None and index is not None and index < len(look.gate.filters[number].rules)
    rule = ready(Clause(request.GET.get("attribute", ""), "IS NULL"), look.object_type)
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
    return filter(tests[which], look.by_name())


def about(request: HttpRequest, look: service.FilterEffects, which: str) -> str:
    """What the list is about, in words."""
    if which == "empty":
        return request.GET.get("attribute", "")[:200]
    for one in look.gate.filters:
        if one.filter.uid == request.GET.get("filter"):
            return f"{one.filter.title}: {clauses_in_words(one.filter, look.object_type, _)}"
    return ""


# --- Test a person ---


def found_people(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> dict[str, Any]:
    text = request.GET.get("find", "")[:100]
    return {"find": text, "people": service.search(tenant, object_type, text)}


def attribute_in_words(value: object) -> str | None:
    """As Entra's pages write it; None for an empty one."""
    if value in (None, "", []):
        return None
    if isinstance(value, list):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def tested(look: service.FilterEffects, object_id: str) -> dict[str, Any]:
    test = look.test(object_id)
    if test is None:
        return {}
    verdicts = [
        {
            "title": verdict.filter.title or _("New filter"),
            "passed": verdict.passed,
            "findings": [
                {
                    "words": str(phrase(one.clause, look.object_type, _)),
                    "actual": attribute_in_words(one.actual),
                    "passed": one.passed,
                }
                for one in verdict.findings
            ],
        }
        for verdict in test.verdicts
    ]
    return {"test": test, "verdicts": verdicts}
