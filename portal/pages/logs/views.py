"""Provisioning logs: everything that was done, or not done, and why."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404

from portal.access.pages import page
from portal.access.quota import begin_export
from portal.access.request import HttpRequest, whole_number
from portal.access.roles import Right
from portal.frame.csv_export import csv_response
from portal.frame.paging import keyset_page, query_with
from portal.frame.render import render_page
from portal.pages.logs.forms import LogFilterForm
from portal.words.operations import field_changes
from sync import audit
from sync.configuration.current import filter_titles
from sync.models import DirectoryUser, Operation, Tenant
from sync.problems.catalogue import PROBLEMS, scope_words

COLUMNS = (
    "time", "run", "object", "name", "user_principal_name", "entra_id", "aws_id", "action", "result", "reason", "field",
    "before", "after", "mapping", "status", "error", "request_id",
)  # fmt: skip


@page(read=Right.READ)
def logs(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = LogFilterForm(request.GET or None)
    found = form.apply(Operation.objects.log().filter(tenant=tenant).select_related("run"))
    context = keyset_page(found, request) | {
        "tenant": tenant,
        "form": form,
        "chips": chips(request, form),
        "any": Operation.objects.filter(tenant=tenant).exists(),
        "export": request.GET.urlencode(),
    }
    if (chosen := whole_number(request.GET.get("op", ""))) is not None:
        context |= detail_context(tenant, get_object_or_404(Operation, tenant=tenant, pk=chosen))
    return render_page(request, "logs/list.html", context, partial="table")


def chips(request: HttpRequest, form: LogFilterForm) -> list[dict[str, str]]:
    return [
        {"label": str(form.fields[name].label), "words": form.words(name), "without": query_with(request, **{name: ""})}
        for name in form.chosen()
    ]


@page(read=Right.READ)
def log(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    operation = get_object_or_404(Operation.objects.select_related("run"), tenant=tenant, pk=pk)
    return render_page(
        request, "logs/detail.html", {"tenant": tenant} | detail_context(tenant, operation), partial="panel"
    )


def detail_context(tenant: Tenant, operation: Operation) -> dict[str, Any]:
    person = DirectoryUser.objects.filter(tenant=tenant, object_id=operation.object_id).first()
    problem = PROBLEMS.get(operation.problem)
    same = Operation.objects.log().filter(tenant=tenant, object_id=operation.object_id)
    return {
        "operation": operation,
        "problem": problem,
        "meaning": problem.told(answered=operation.status is not None) if problem else "",
        "quoted": problem.quote(operation.status is not None) if problem else "",
        "person": person,
        "scope_words": scope_words(person.scope_reason, filter_titles(tenant)) if person else "",
        "members": members_named(tenant, operation),
        "changes": field_changes(operation.changes),
        "earlier": same.filter(pk__lt=operation.pk).select_related("run")[:5],
    }


def members_named(tenant: Tenant, operation: Operation) -> list[DirectoryUser]:
    ids = operation.member_ids
    return list(DirectoryUser.objects.filter(tenant=tenant, object_id__in=ids).order_by("display_name"))


@page(read=Right.READ)
def logs_export(request: HttpRequest, tenant: Tenant) -> StreamingHttpResponse:
    """CSV of the same filters: one row per changed field, so that one file has all."""
    begin_export(request)
    form = LogFilterForm(request.GET or None)
    found = form.apply(Operation.objects.log().filter(tenant=tenant).select_related("run")).order_by("-pk")
    audit.record(request.user.email, "logs.export", tenant, None, {"filters": request.GET.dict()})
    rows = (row for operation in found.iterator(chunk_size=500) for row in log_csv_rows(operation))
    return csv_response(f"{tenant.slug}-provisioning-log", COLUMNS, rows)


def log_csv_rows(operation: Operation) -> Iterator[list[object]]:
    moment = operation.finished_at or operation.created_at
    head: list[object] = [
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"), operation.run.number, operation.object_type, operation.display_name,
        operation.detail_name, operation.object_id, operation.scim_id, operation.action, operation.result,
        operation.problem,
    ]  # fmt: skip
    tail = [operation.status or "", operation.error, operation.request_id]
    changes = field_changes(operation.changes) or [{"field": "members" if operation.changes else ""}]
    for change in changes:
        values = [change.get(name) for name in ("field", "before", "after", "mapping")]
        yield [*head, *("" if value is None else value for value in values), *tail]
