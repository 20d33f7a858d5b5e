"""The draft: its changes for review, its impact on people, and publishing it."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.quota import PREVIEW, begin_export, take
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.access.step_up import StepUp
from portal.frame.csv_export import csv_response
from portal.frame.paging import Pager
from portal.frame.render import redirect_to, render_page, render_question
from portal.pages.draft import impact as impacts
from portal.pages.draft.checks import check_line
from portal.pages.draft.forms import CommentForm, PublishForm
from portal.words.changes import Because, ChangeLine, change_lines
from portal.words.operations import field_changes
from portal.words.progress import phase_rows, waits_too_long
from portal.words.provisioning import off_words
from portal.words.requests import waits_message
from sync import audit
from sync.configuration import drafts, versions
from sync.configuration.current import configuration_of
from sync.configuration.items import contents, differences
from sync.configuration.versions import next_number
from sync.models import ChangeRequest, DirectoryUser, Operation, Run, Tenant
from sync.preview import services
from sync.preview.queries.previews import (
    PREVIEW_HOLDS,
    PREVIEWED,
    missing_for_publishing,
    newest_preview,
    people_changed,
    to_be_seen,
)
from sync.preview.services import CannotKeep, NotPublished, keep_person, publish_draft
from sync.problems.catalogue import PROBLEMS, SCOPE_REASONS
from sync.tenants.queries import missing_for_reading

COLUMNS = (
    "object", "name", "user_principal_name", "entra_id", "aws_id", "action", "result", "reason", "field", "before",
    "after", "because_of",
)  # fmt: skip


@page(read=Right.READ)
def draft(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    now = tenant.configurations.draft()
    found = drafts.changes(tenant)
    context = {
        "tenant": tenant,
        "draft": now,
        "lines": change_lines(tenant, found, now.edits if now else {}),
        "current": configuration_of(tenant),
        "next_number": next_number(tenant),
        "preview": newest_preview(tenant, now) if found else None,
        "form": CommentForm(initial={"comment": now.comment if now else ""}),
        "versions": tenant.configurations.published().count(),
    }
    return render_page(request, "draft/review.html", context)


@page(act=Right.CONFIGURE)
def draft_undo(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    versions.undo_change(tenant=tenant, actor=request.user.email, key=request.POST.get("key", ""))
    messages.success(request, _("Undone. The draft says here what the published version says."))
    return redirect_to(request, "draft", tenant.slug)


@page(read=Right.CONFIGURE, act=Right.CONFIGURE)
def draft_discard(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    if request.method == "POST":
        versions.discard_draft(tenant=tenant, actor=request.user.email)
        messages.success(request, _("The draft is discarded. What is published stays as it is."))
        return redirect_to(request, "draft", tenant.slug)
    found = drafts.changes(tenant)
    context = {"tenant": tenant, "lines": change_lines(tenant, found), "current": configuration_of(tenant)}
    return render_question(request, "draft/discard.html", _("Discard the draft?"), context)


@page(act=Right.CONFIGURE)
def impact_start(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Reads Entra and plans under the draft; nothing is written."""
    take(request, PREVIEW)
    if missing_for_reading(tenant):
        messages.error(request, _("The connection has not passed a test since its last change. Test it first."))
        return redirect_to(request, "draft", tenant.slug)
    form = CommentForm(request.POST)
    if "comment" in request.POST and form.is_valid():
        drafts.set_comment(tenant=tenant, comment=form.cleaned_data["comment"])
    try:
        run = services.request_preview(tenant=tenant, actor=request.user.email)
    except services.NothingToPreview:
        messages.warning(request, _("Everything is published. There is nothing to preview."))
        return redirect_to(request, "draft", tenant.slug)
    return redirect_to(request, "impact", tenant.slug, run.number)


# The impact preview


@page(read=Right.READ)
def impact_page(request: HttpRequest, tenant: Tenant, number: int) -> HttpResponse:
    """The page; its head alone for the poller (204 while nothing is newer); its table alone for a tab."""
    found = preview_or_404(tenant, number)
    polled = bool(request.htmx) and "seen" in request.GET
    if polled and request.GET["seen"] == str(found.sequence) and found.open:
        return HttpResponse(status=204)
    if polled and not found.open:
        # What the page says around the result, and the run in the header, changed with it.
        return HttpResponse(headers={"HX-Refresh": "true"})
    partial = "body" if request.htmx and request.htmx.target == "impact-body" else "head"
    return render_page(request, "draft/impact.html", impact_context(request, tenant, found), partial=partial)


def preview_or_404(tenant: Tenant, number: int) -> Run:
    previews_of = tenant.runs.filter(kind=Run.Kind.PREVIEW).select_related("configuration__based_on")
    found = get_object_or_404(previews_of, number=number)
    if not found.drafted:
        raise Http404(_("Run %(n)s is no preview of a draft.") % {"n": number})
    return found


def impact_context(request: HttpRequest, tenant: Tenant, found: Run, form: PublishForm | None = None) -> dict[str, Any]:
    lines = lines_behind(tenant, found)
    context: dict[str, Any] = {
        "tenant": tenant,
        "run": found,
        "lines": lines,
        "done": found.state in PREVIEWED,
        "phases": impacts.phases_without_writing(phase_rows(found)),
        "failure": PROBLEMS.get(found.problem) if found.problem else None,
        "nobody_took_it": waits_too_long(found),
        "waits_for": waits_for(tenant, found),
        "next_number": next_number(tenant),
    }
    if not context["done"]:
        return context
    return context | result_context(request, tenant, found, lines) | publish_context(tenant, found, form)


def waits_for(tenant: Tenant, found: Run) -> Run | None:
    """The run that goes first, while the preview is queued."""
    if found.state != Run.State.QUEUED:
        return None
    others = tenant.runs.filter(state__in=(Run.State.RUNNING, Run.State.CANCELLING)).exclude(pk=found.pk)
    return others.exclude(kind=Run.Kind.ON_DEMAND).first()


def lines_behind(tenant: Tenant, found: Run) -> list[ChangeLine]:
    """The changes that the preview was about, as the draft (or the version that came of it) has them now."""
    now = found.configuration
    if now is None or now.based_on is None:
        return []
    return change_lines(tenant, differences(contents(now.based_on), contents(now)), now.edits)


def result_context(request: HttpRequest, tenant: Tenant, found: Run, lines: list[ChangeLine]) -> dict[str, Any]:
    tabs = impacts.tabs(found)
    chosen = impacts.chosen_tab(tabs, request.GET.get("show", ""))
    field, pattern = request.GET.get("field", ""), request.GET.get("pattern", "")
    because = Because(lines)
    return {
        "people": found.impact["people"],
        "changed": people_changed(found),
        "segments": impacts.segments(found),
        "members": found.impact["members"],
        "checks": [check_line(check, found) for check in found.impact["checks"]],
        "tabs": tabs,
        "chosen": chosen,
        "field": field,
        "pattern": impacts.PATTERNS.get(pattern, ""),
        **rows_context(request, tenant, found, chosen.key, because),
        "folds": impacts.folds_of(found, because) if chosen.key == "updated" and not field else [],
    }


def rows_context(request: HttpRequest, tenant: Tenant, found: Run, tab: str, because: Because) -> dict[str, Any]:
    """`rows`: what the tab lists; those who stay as they are have nothing planned, and are people."""
    wish = request.GET.get("page", "")
    if tab == "stay":
        people = impacts.impact_rows(impacts.people_who_stay(found), wish)
        return {"rows": people.rows, "page": people, "pager": pager_of(request, people)}
    field, pattern = request.GET.get("field", ""), request.GET.get("pattern", "")
    page = impacts.impact_rows(impacts.rows_of(found, tab, field, pattern), wish)
    rows = [impacts.impact_row(tenant, row, because) for row in page.rows]
    return {"rows": rows, "page": page, "pager": pager_of(request, page)}


def pager_of(request: HttpRequest, page: impacts.Page[Any]) -> Pager | None:
    return page.pager(request) if page.pages > 1 else None


def publish_context(tenant: Tenant, found: Run, form: PublishForm | None) -> dict[str, Any]:
    codes = to_be_seen(found)
    reasons = missing_for_publishing(tenant, found, codes)
    comment = found.configuration.comment if found.configuration else ""
    assert found.finished_at is not None
    return {
        "published": found.configuration if found.configuration and found.configuration.number else None,
        "stale": "stale" in reasons or "no-preview" in reasons or "nothing-changed" in reasons,
        "blocked": "blocked" in reasons,
        "form": form or PublishForm(initial={"comment": comment}),
        "to_tick": [check_line(check, found) for check in found.impact["checks"] if check["code"] in codes],
        "good_until": found.finished_at + PREVIEW_HOLDS,
        "expired": timezone.now() - found.finished_at > PREVIEW_HOLDS,
    }


@page(read=Right.READ)
def impact_export(request: HttpRequest, tenant: Tenant, number: int) -> StreamingHttpResponse:
    """Everything that the preview plans: one row per changed field."""
    begin_export(request)
    found = preview_or_404(tenant, number)
    because = Because(lines_behind(tenant, found))
    audit.record(request.user.email, "impact.export", found, None, {"number": number})
    rows = (row for one in all_rows(found).iterator(chunk_size=500) for row in impact_csv_rows(one, because))
    return csv_response(f"{tenant.slug}-impact-{number}", COLUMNS, rows)


def all_rows(found: Run) -> QuerySet[Operation]:
    return found.operations.order_by("stage", "display_name", "pk")


def impact_csv_rows(one: Operation, because: Because) -> Iterator[list[object]]:
    head: list[object] = [
        one.object_type, one.display_name, one.detail_name, one.object_id, one.scim_id, one.action, one.result, one.problem,
    ]  # fmt: skip
    for change in field_changes(one.changes) or [{"field": "members" if one.changes else ""}]:
        values = ("" if (value := change.get(name)) is None else value for name in ("field", "before", "after"))
        causes = because.of(one.causes, unit=change["field"] if "after" in change else "")
        yield [*head, *values, "; ".join(cause["text"] for cause in causes)]


@page(act=Right.CONFIGURE)
def impact_keep(request: HttpRequest, tenant: Tenant, number: int) -> HttpResponse:
    """Edits the draft so that one person stays; the preview is then one of an older draft."""
    person = get_object_or_404(DirectoryUser, tenant=tenant, object_id=request.POST.get("person", ""))
    if not drafts.changes(tenant):
        messages.warning(request, _("Everything is published. There is no draft to keep anybody in."))
        return redirect_to(request, "impact", tenant.slug, number)
    try:
        keep_person(tenant=tenant, actor=request.user.email, person=person)
    except CannotKeep as error:
        reason = SCOPE_REASONS.get(error.reason, error.reason)
        messages.error(request, _("%(name)s cannot be kept: %(reason)s.") % {"name": person, "reason": reason})
        return redirect_to(request, "impact", tenant.slug, number)
    messages.success(request, _("The draft keeps %(name)s. Preview again to see it.") % {"name": person})
    return redirect_to(request, "impact", tenant.slug, number)


@page(act=Right.CONFIGURE, step_up=StepUp.TO_ACT)
def publish(request: HttpRequest, tenant: Tenant, number: int) -> HttpResponse:
    found = preview_or_404(tenant, number)
    form = PublishForm(request.POST)
    if form.is_valid():
        facts = form.cleaned_data
        try:
            version = publish_draft(
                tenant=tenant, actor=request.user.email, preview=found, comment=facts["comment"], seen=facts["seen"]
            )
        except NotPublished as error:
            for reason in error.reasons:
                form.add_error(None, str(impacts.NOT_PUBLISHED[reason]))
        else:
            if isinstance(version, ChangeRequest):
                messages.warning(request, waits_message(version))
                return redirect_to(request, "approvals", tenant.slug)
            messages.success(request, published_message(tenant, version.number or 0))
            return redirect_to(request, "version", tenant.slug, version.number)
    context = impact_context(request, tenant, found, form)
    return render_page(request, "draft/impact.html", context, status=422)


def published_message(tenant: Tenant, number: int) -> str:
    message = _("Version %(n)s is published.") % {"n": number}
    if not tenant.enabled:
        return f"{message} {off_words(tenant)} {_('Nothing is written until it is on.')}"
    if tenant.next_run_at is None:
        return f"{message} " + _("The next run will use it.")
    at = date_format(timezone.localtime(tenant.next_run_at), "H:i")
    return f"{message} " + _("The next run at %(time)s will use it.") % {"time": at}
