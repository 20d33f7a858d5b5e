"""Scope filters: rules for who may pass, with what they do to the people of the mirror beside every clause."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.request import HttpRequest, whole_number
from portal.access.roles import Right
from portal.frame.paging import Pager, query_with
from portal.frame.render import redirect_to, render_page, wants_partial
from portal.pages.scope.cards import (
    EMPTY,
    LISTS,
    SHOWN,
    about,
    base,
    card_lines,
    counted,
    first,
    found_people,
    new_card,
    object_type_of,
    page_context,
    page_url,
    people_listed,
    rows_shown,
)
from portal.pages.scope.forms import NEW, Card, ScopeForm, cards_posted
from sync.configuration import items, versions
from sync.configuration.drafts import draft_or_current
from sync.configuration.editing import EditConflict, revision
from sync.configuration.filters import remove_filter, save_filter
from sync.configuration.settings import set_settings
from sync.models import AttributeMapping, ScopingFilter, Tenant
from sync.preview.queries import filter_effects as service
from sync.rules import filter_words


@page(read=Right.READ)
def scope(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    object_type = object_type_of(request)
    cards = [Card.of(row, object_type) for row in rows_shown(tenant, object_type)]
    if wants_partial(request) and "find" in request.GET:
        context = {"tenant": tenant, "object_type": object_type} | found_people(request, tenant, object_type)
        return render_page(request, "scope/list.html", context, partial="found")
    if wants_partial(request) and "add" in request.GET:
        context = base(request, tenant, object_type) | {
            "item": card_lines(draft_or_current(tenant), [new_card(object_type)])[0],
            "focus": first(NEW),
        }
        return render_page(request, "scope/list.html", context, partial="card")
    if "add" in request.GET:
        cards.append(new_card(object_type))
    return render_page(request, "scope/list.html", page_context(request, tenant, object_type, cards))


@page(act=Right.CONFIGURE, edits_draft=True)
def scope_filter(request: HttpRequest, tenant: Tenant, key: str) -> HttpResponse:
    """One card: *Save*, and what only changes the form (clauses that come and go), by the button that was pressed."""
    object_type = object_type_of(request)
    card = Card.posted(key, object_type, request.POST)
    action, _colon, number = request.POST.get("do", "save").partition(":")
    actions = {"save": save_card, "remove": remove_card, "restore": restore_card, "undo": undo_card}
    if action in actions:
        return actions[action](request, tenant, card)
    return edit_card(request, tenant, card, action, whole_number(number) or 0)


def save_card(request: HttpRequest, tenant: Tenant, card: Card) -> HttpResponse:
    if not card.check():
        return card_response(request, tenant, card, status=422)
    try:
        row = stored(request, tenant, card)
    except EditConflict as conflict:
        return conflicting(request, tenant, card, conflict.now)
    return saved_response(
        request, tenant, card, row, _("Saved the filter “%(title)s” in the draft.") % {"title": row.title}
    )


def stored(request: HttpRequest, tenant: Tenant, card: Card) -> ScopingFilter:
    """Raises Conflict."""
    one = card.filter()
    return save_filter(
        actor=request.user.email,
        tenant=tenant,
        object_type=card.object_type,
        title=one.title,
        clauses=[clause.row() for clause in one.clauses],
        uid=card.uid,
        seen=card.seen if card.uid else None,
    )


def saved_response(request: HttpRequest, tenant: Tenant, card: Card, row: ScopingFilter, message: str) -> HttpResponse:
    """Under htmx only this card changes: what is typed into others stays. One that is new goes to the end of the list."""
    if not wants_partial(request):
        messages.success(request, message)
        return redirect_to(request, page_url(tenant, card.object_type))
    more = {"said": message, "added": row.uid != card.key, "focus": f"save-{row.uid}"}
    return card_response(request, tenant, Card.of(row, card.object_type), more=more)


def conflicting(
    request: HttpRequest, tenant: Tenant, card: Card, now: AttributeMapping | ScopingFilter | None
) -> HttpResponse:
    """Somebody else was faster: both versions are shown, and saving again takes this one."""
    theirs = now.rule() if isinstance(now, ScopingFilter) else None
    mine = card.anew(NEW if theirs is None else card.key, revision(now))
    edit = draft_or_current(tenant).edits.get(items.filter_key(card.key), {})
    more = {
        "conflict": True,
        "by": edit.get("by") or draft_or_current(tenant).changed_by,
        "theirs": theirs,
        "theirs_words": filter_words.clauses_in_words(theirs, card.object_type, _) if theirs else "",
        "dom_key": card.key,
    }
    return card_response(request, tenant, mine, status=409, more=more)


def remove_card(request: HttpRequest, tenant: Tenant, card: Card) -> HttpResponse:
    """It goes at once; what is shown in its place can restore it."""
    remove_filter(actor=request.user.email, tenant=tenant, uid=card.uid)
    removed = {"removed": card, "said": _("Removed the filter “%(title)s”.") % {"title": card.filter().title}}
    if wants_partial(request):
        context = base(request, tenant, card.object_type) | removed
        return recounted(render_page(request, "scope/list.html", context, partial="removed"))
    cards = [Card.of(row, card.object_type) for row in rows_shown(tenant, card.object_type)]
    return render_page(request, "scope/list.html", page_context(request, tenant, card.object_type, cards) | removed)


def restore_card(request: HttpRequest, tenant: Tenant, card: Card) -> HttpResponse:
    """A removed filter as it was; under its old name where the published version knows it."""
    if not card.check():
        return card_response(request, tenant, card, status=422)
    published = undone(request, tenant, card)
    row = stored(request, tenant, card.anew(card.key if published else NEW, revision(published)))
    return saved_response(request, tenant, card, row, _("“%(title)s” is back.") % {"title": row.title})


def undo_card(request: HttpRequest, tenant: Tenant, card: Card) -> HttpResponse:
    """Back to what the published version says."""
    row = undone(request, tenant, card)
    if row is None:
        return redirect_to(request, page_url(tenant, card.object_type))
    return saved_response(request, tenant, card, row, _("“%(title)s” is as it was published.") % {"title": row.title})


def undone(request: HttpRequest, tenant: Tenant, card: Card) -> ScopingFilter | None:
    versions.undo_change(tenant=tenant, actor=request.user.email, key=items.filter_key(card.uid))
    return draft_or_current(tenant).filters.filter(uid=card.uid).first()


def edit_card(request: HttpRequest, tenant: Tenant, card: Card, action: str, number: int) -> HttpResponse:
    """The card with a clause more, or a clause less: nothing is saved."""
    clauses, focus = list(card.filter().clauses), ""
    if action == "add":
        clauses.append(EMPTY)
        focus = f"id_{card.key}-{len(clauses) - 1}-attribute"
    elif action == "drop":
        del clauses[number : number + 1]
        focus = f"id_{card.key}-{max(0, number - 1)}-attribute" if clauses else f"add-{card.key}"
    return card_response(request, tenant, card.with_clauses(clauses), more={"focus": focus})


def card_response(
    request: HttpRequest, tenant: Tenant, card: Card, *, status: int = 200, more: Mapping[str, Any] | None = None
) -> HttpResponse:
    """The card alone for htmx, else the page with the card in its place."""
    if wants_partial(request):
        item = card_lines(draft_or_current(tenant), [card])[0]
        context = base(request, tenant, card.object_type) | {"item": item} | dict(more or {})
        return recounted(render_page(request, "scope/list.html", context, partial="card", status=status))
    rows = rows_shown(tenant, card.object_type)
    cards = [card if row.uid == card.key else Card.of(row, card.object_type) for row in rows]
    if card.key not in [one.key for one in cards]:
        cards.append(card)
    context = page_context(request, tenant, card.object_type, cards) | {"active_key": card.key} | dict(more or {})
    return render_page(request, "scope/list.html", context, status=status)


def recounted(response: HttpResponse) -> HttpResponse:
    """The numbers follow a card that came, changed or went."""
    response["HX-Trigger-After-Settle"] = "recount"
    return response


@page(read=Right.READ, act=Right.CONFIGURE)
def scope_counts(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """What the rules do: those that are saved, or (POST) those in the form."""
    object_type = object_type_of(request)
    if not wants_partial(request):
        return redirect_to(request, page_url(tenant, object_type, counts=1))
    saved = [Card.of(row, object_type) for row in rows_shown(tenant, object_type)]
    cards = cards_posted(request.POST, object_type) if request.method == "POST" else saved
    context = base(request, tenant, object_type) | {"saved": len(saved)}
    context |= counted(request, tenant, object_type, cards, saved)
    return render_page(request, "scope/list.html", context, partial="counts")


@page(read=Right.READ)
def scope_people(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """The names behind a number, by the rules of the draft."""
    object_type = object_type_of(request)
    which = request.GET.get("of", "pass")
    which = which if which in LISTS else "pass"
    look = service.FilterEffects(tenant, object_type)
    number = max(1, whole_number(request.GET.get("page", "")) or 1)
    names, n = names_on_page(people_listed(request, look, which), number)
    if number > 1 and not names:
        return redirect_to(request, request.path + query_with(request, page=max(1, -(-n // SHOWN))))
    before = (number - 1) * SHOWN
    previous = query_with(request, page=number - 1) if number > 1 else ""
    following = query_with(request, page=number + 1) if number * SHOWN < n else ""
    context = {
        "tenant": tenant,
        "object_type": object_type,
        "heading": LISTS[which],
        "about": about(request, look, which),
        "names": names,
        "n": n,
        "pager": Pager.numbered(previous, following, (before + 1, before + len(names), n)) if n > SHOWN else None,
        "back": page_url(tenant, object_type),
    }
    return render_page(request, "scope/people.html", context)


def names_on_page(everyone: Iterable[service.One], number: int) -> tuple[list[service.One], int]:
    """The names of one page, and how many there are; no others are kept in memory."""
    names, n = [], 0
    for n, one in enumerate(everyone, start=1):
        if (number - 1) * SHOWN < n <= number * SHOWN:
            names.append(one)
    return names, n


@page(act=Right.CONFIGURE, edits_draft=True)
def scope_settings(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = ScopeForm(request.POST)
    if form.is_valid():
        set_settings(actor=request.user.email, tenant=tenant, **form.settings())
        messages.success(request, _("Saved in the draft."))
    return redirect_to(request, page_url(tenant, "user"))
