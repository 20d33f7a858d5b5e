"""Versions: what was published, when, by whom and why; two compared; going back by a new draft."""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.access.pages import page
from portal.access.request import HttpRequest, whole_number
from portal.access.roles import Right
from portal.frame.paging import Pager
from portal.frame.render import redirect_to, render_page, render_question
from portal.words.changes import change_lines
from sync.configuration import drafts
from sync.configuration.items import contents, differences
from sync.configuration.versions import DraftInTheWay, next_number, restore_version
from sync.models import Configuration, Tenant
from sync.preview.queries.previews import PREVIEWED, WRITES, people_changed, published_with

PAGE = 20
DRAFT = "draft"


@page(read=Right.READ)
def versions(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    published = tenant.configurations.published().order_by("-number")
    before = whole_number(request.GET.get("older", ""))
    page = list((published if before is None else published.filter(number__lt=before))[: PAGE + 1])
    now = tenant.configurations.draft()
    draft = now if now is not None and now.differs else None
    people = changed_people(tenant, page)
    context = {
        "tenant": tenant,
        "rows": [{"version": one, "people": people.get(one.pk)} for one in page[:PAGE]],
        "pager": Pager.by_time("", f"?older={page[PAGE - 1].number}" if len(page) > PAGE else ""),
        "total": published.count(),
        "newest": published.first(),
        "draft": draft,
        "next_number": next_number(tenant),
    }
    return render_page(request, "versions/list.html", context | comparison(request, tenant, page, draft))


def changed_people(tenant: Tenant, page: list[Configuration]) -> dict[int, int]:
    """By version: how many people were to change by its preview."""
    runs = tenant.runs.drafted().filter(configuration__in=page, state__in=PREVIEWED)
    return {
        run.configuration_id: people_changed(run)
        for run in runs.order_by("number")
        if run.configuration_id and run.impact
    }


def comparison(
    request: HttpRequest, tenant: Tenant, page: list[Configuration], draft: Configuration | None
) -> dict[str, Any]:
    """The two that the address names; else the newest version and the one before it."""
    wish = {side: version_named(tenant, request.GET.get(side, ""), draft) for side in ("before", "after")}
    default = [*page, None, None]
    old, new = wish["before"] or default[1], wish["after"] or default[0]
    if old is None or new is None or old == new:
        return {"old": old, "new": new, "lines": None}
    return {"old": old, "new": new} | comparison_of(tenant, old, new)


def version_named(tenant: Tenant, name: str, draft: Configuration | None) -> Configuration | None:
    if name == DRAFT:
        return draft
    number = whole_number(name)
    return None if number is None else tenant.configurations.filter(number=number).first()


def comparison_of(tenant: Tenant, old: Configuration, new: Configuration) -> dict[str, Any]:
    """`lines`: what differs; `same`: how many of each kind do not."""
    before, after = contents(old), contents(new)
    found = differences(before, after)
    apart = {one.key for one in found}
    same: Counter[tuple[str, str]] = Counter(
        (item.kind, item.object_type) for key, item in after.items() if key not in apart
    )
    return {"lines": change_lines(tenant, found, new.edits), "same": same_words(same)}


def same_words(same: Counter[tuple[str, str]]) -> str:
    mappings, filters = (sum(n for (kind, _of), n in same.items() if kind == one) for one in ("mapping", "filter"))
    groups, people = same["assignment", "group"], same["assignment", "user"]
    return ", ".join(
        (
            ngettext("%(n)s mapping", "%(n)s mappings", mappings) % {"n": mappings},
            ngettext("%(n)s scope filter", "%(n)s scope filters", filters) % {"n": filters},
            ngettext("%(n)s group", "%(n)s groups", groups) % {"n": groups},
            ngettext("%(n)s person", "%(n)s people", people) % {"n": people},
        )
    )


@page(read=Right.READ)
def version(request: HttpRequest, tenant: Tenant, number: int) -> HttpResponse:
    found = get_object_or_404(tenant.configurations.published().select_related("based_on"), number=number)
    preview = published_with(found)
    context = {
        "tenant": tenant,
        "shown": found,
        "newest": tenant.configurations.current(),
        "preview": preview,
        "changed": people_changed(preview) if preview and preview.impact else None,
        "first_run": tenant.runs.filter(configuration=found, kind__in=WRITES).order_by("number").first(),
    }
    context |= comparison_of(tenant, found.based_on, found) if found.based_on else {"lines": None}
    return render_page(request, "versions/detail.html", context)


@page(read=Right.CONFIGURE, act=Right.CONFIGURE)
def version_restore(request: HttpRequest, tenant: Tenant, number: int) -> HttpResponse:
    """Makes a draft that equals the version; nothing jumps."""
    found = get_object_or_404(tenant.configurations.published(), number=number)
    if request.method == "POST":
        return restored(request, tenant, found)
    context = {"tenant": tenant, "shown": found, "in_the_way": len(drafts.changes(tenant))}
    question = _("Restore version %(n)s?") % {"n": number}
    return render_question(request, "versions/restore.html", question, context)


def restored(request: HttpRequest, tenant: Tenant, version: Configuration) -> HttpResponse:
    try:
        restore_version(tenant=tenant, actor=request.user.email, version=version)
    except DraftInTheWay:
        messages.error(request, _("There is a draft with changes. Publish or discard it before you restore a version."))
        return redirect_to(request, "draft", tenant.slug)
    if not drafts.changes(tenant):
        messages.success(request, _("%(version)s is what is published: nothing differs.") % {"version": version})
        return redirect_to(request, "versions", tenant.slug)
    message = _("The draft equals version %(n)s. Preview it, then publish it.") % {"n": version.number}
    messages.success(request, message)
    return redirect_to(request, "draft", tenant.slug)
