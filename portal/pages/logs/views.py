"""Provisioning logs: everything that was done, or not done, and why."""

from collections import Counter
from collections.abc import Iterator

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404

from portal.access.pages import page
from portal.access.quota import begin_export
from portal.access.request import HttpRequest, whole_number
from portal.access.roles import Right
from portal.frame.csv_export import csv_response
from portal.frame.paging import query_with
from portal.frame.render import render_page
from portal.pages.logs import listing
from portal.pages.logs.entry import entry_context
from portal.pages.logs.export import COLUMNS, csv_rows, json_lines
from portal.pages.logs.forms import FEW, MANY, LogFilterForm
from portal.words.states import WORDS
from sync import audit
from sync.models import Operation, Tenant
from sync.models.run import OperationQuerySet


@page(read=Right.READ)
def logs(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = LogFilterForm(request.GET or None)
    found = filtered(tenant, form)
    chosen = chosen_entry(request, tenant)
    shown = listing.log_page(request, tenant, found, chosen)
    results = listing.results_of(filtered(tenant, form, MANY), shown)
    total = results.total()
    context = {
        "tenant": tenant,
        "form": form,
        "chips": chips(request, form),
        "operations": shown.rows,
        "pager": shown.pager,
        "total": total,
        "more": total > listing.MOST,
        "most": listing.MOST,
        "results": result_links(request, form, results) if total <= listing.MOST else [],
        "any": bool(shown.rows) or Operation.objects.filter(tenant=tenant).exists(),
        "filters": "" if (filters := query_with(request)) == "?" else filters,
        "as_lines": query_with(request, format="jsonl"),
        "panels": listing.panel_base(request),
    }
    if chosen is not None:
        context |= entry_context(tenant, chosen) | {"beside": listing.beside_panel(request, found, shown, chosen)}
    return render_page(request, "logs/list.html", context, partial="table")


def filtered(tenant: Tenant, form: LogFilterForm, one_by_one: int = FEW) -> OperationQuerySet:
    return form.apply(tenant.operations.log().select_related("run"), tenant, one_by_one)


def chosen_entry(request: HttpRequest, tenant: Tenant) -> Operation | None:
    number = whole_number(request.GET.get("op", ""))
    if number is None:
        return None
    return get_object_or_404(tenant.operations.select_related("run"), pk=number)


def chips(request: HttpRequest, form: LogFilterForm) -> list[dict[str, str]]:
    return [
        {"label": str(form.fields[name].label), "words": form.words(name), "without": query_with(request, **{name: ""})}
        for name in form.chosen()
    ]


def result_links(request: HttpRequest, form: LogFilterForm, results: Counter[str]) -> list[dict[str, object]]:
    """How many of each result are found, most often first, each a filter; nothing once a result is chosen."""
    if "result" in form.chosen():
        return []
    return [
        {"word": WORDS["result"][key], "n": n, "url": query_with(request, result=key)}
        for key, n in results.most_common()
    ]


@page(read=Right.READ)
def log(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    """The address keeps the filters of the log that it was opened from: previous and next are by them."""
    operation = get_object_or_404(tenant.operations.select_related("run"), pk=pk)
    found = filtered(tenant, LogFilterForm(request.GET or None))
    context = {"tenant": tenant, "beside": listing.beside_page(request, found, operation)}
    return render_page(request, "logs/detail.html", context | entry_context(tenant, operation), partial="panel")


@page(read=Right.READ)
def logs_export(request: HttpRequest, tenant: Tenant) -> StreamingHttpResponse:
    """The same filters as a file that is written while it is read: CSV, or JSON lines with `format=jsonl`."""
    begin_export(request)
    found = filtered(tenant, LogFilterForm(request.GET or None)).newest_first()
    audit.record(request.user.email, "logs.export", tenant, None, {"filters": request.GET.dict()})
    operations = found.iterator(chunk_size=500)
    name = f"{tenant.slug}-provisioning-log"
    if request.GET.get("format") == "jsonl":
        return lines_response(name, json_lines(operations))
    return csv_response(name, COLUMNS, csv_rows(operations))


def lines_response(name: str, lines: Iterator[str]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type="application/jsonl; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.jsonl"'
    return response
