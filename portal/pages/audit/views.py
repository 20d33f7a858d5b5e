"""The audit log: what people did, from where, and that nobody changed it since."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from portal.access.pages import page, site_page
from portal.access.quota import begin_export
from portal.access.request import HttpRequest, whole_number
from portal.access.roles import Right
from portal.frame.csv_export import csv_response
from portal.frame.paging import keyset_page, query_with
from portal.frame.render import render_page
from portal.pages.audit.forms import AuditFilterForm
from portal.words.audit import REFUSED, action_words, changes_of, in_short, value_words
from sync import audit
from sync.audit import checking
from sync.audit.lines import line_of, to_text
from sync.models import AuditEntry, Tenant

COLUMNS = (
    "time", "tenant", "actor", "address", "reference", "action", "object_type", "object_id", "object", "before", "after",
    "uid", "position", "chain_hash",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Log:
    """Which entries a page is about: those of a tenant, or all."""

    tenant: Tenant | None = None

    @property
    def entries(self) -> QuerySet[AuditEntry]:
        found = AuditEntry.objects.all()
        return found.filter(tenant=self.tenant) if self.tenant else found

    def url(self, name: str, *arguments: object) -> str:
        own = [self.tenant.slug] if self.tenant else []
        return reverse(name if self.tenant else f"site_{name}", args=[*own, *arguments])

    def context(self) -> dict[str, Any]:
        own = {"tenant": self.tenant} if self.tenant else {}
        return {"list_url": self.url("audit"), "export_url": self.url("audit_export"), **own}


@page(read=Right.READ)
def audit_log(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    return show_list(request, Log(tenant))


@site_page(read=Right.OWN)
def site_audit_log(request: HttpRequest) -> HttpResponse:
    return show_list(request, Log())


def show_list(request: HttpRequest, log: Log) -> HttpResponse:
    form = AuditFilterForm(request.GET or None)
    shown = keyset_page(form.apply(log.entries), request)
    context = log.context() | {
        "form": form,
        "chips": chips(request, form),
        "rows": [row_of(request, log, entry) for entry in shown["operations"]],
        "pager": shown["pager"],
        "query": request.GET.urlencode(),
        "checked": checking.last_check(),
    }
    if (chosen := whole_number(request.GET.get("entry", ""))) is not None:
        context |= detail_of(log, get_object_or_404(log.entries, pk=chosen))
    return render_page(request, "audit/list.html", context, partial="table")


def chips(request: HttpRequest, form: AuditFilterForm) -> list[dict[str, str]]:
    return [
        {"label": str(form.fields[name].label), "words": form.words(name), "without": query_with(request, **{name: ""})}
        for name in form.chosen()
    ]


def row_of(request: HttpRequest, log: Log, entry: AuditEntry) -> dict[str, Any]:
    return {
        "entry": entry,
        "action": action_words(entry.verb),
        "refused": entry.verb in REFUSED,
        "short": in_short(entry),
        "url": log.url("audit") + query_with(request, entry=entry.pk),
    }


@page(read=Right.READ)
def audit_entry(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    return show_entry(request, Log(tenant), pk)


@site_page(read=Right.OWN)
def site_audit_entry(request: HttpRequest, pk: int) -> HttpResponse:
    return show_entry(request, Log(), pk)


def show_entry(request: HttpRequest, log: Log, pk: int) -> HttpResponse:
    context = log.context() | detail_of(log, get_object_or_404(log.entries, pk=pk))
    return render_page(request, "audit/detail.html", context)


def detail_of(log: Log, entry: AuditEntry) -> dict[str, Any]:
    before = AuditEntry.objects.filter(position=entry.position - 1).first() if entry.position else None
    return {
        "entry": entry,
        "action": action_words(entry.verb),
        "changes": [
            {"name": name, "before": value_words(old), "after": value_words(new), "had": old is not None}
            for name, old, new in changes_of(entry)
        ],
        "before": before,
        "entry_url": log.url("audit_entry", entry.pk),
    }


@page(read=Right.READ)
def audit_export(request: HttpRequest, tenant: Tenant) -> StreamingHttpResponse:
    return export(request, Log(tenant))


@site_page(read=Right.OWN)
def site_audit_export(request: HttpRequest) -> StreamingHttpResponse:
    return export(request, Log())


def export(request: HttpRequest, log: Log) -> StreamingHttpResponse:
    """The same filters, oldest first: CSV, or the lines that are shipped too."""
    begin_export(request)
    form = AuditFilterForm(request.GET or None)
    found = form.apply(log.entries).order_by("pk")
    kind = "jsonl" if request.GET.get("format") == "jsonl" else "csv"
    audit.record(request.user.email, "audit.export", log.tenant, None, {"format": kind, "filters": form.chosen()})
    name = f"{log.tenant.slug if log.tenant else 'lockstep'}-audit-log"
    entries = found.iterator(chunk_size=500)
    if kind == "csv":
        return csv_response(name, COLUMNS, (csv_row(entry) for entry in entries))
    return lines_response(name, (to_text(entry) for entry in entries))


def lines_response(name: str, lines: Iterator[str]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type="application/x-ndjson")
    response["Content-Disposition"] = f'attachment; filename="{name}.jsonl"'
    return response


def csv_row(entry: AuditEntry) -> list[object]:
    line = line_of(entry)
    names = ("at", "tenant", "actor", "address", "request", "verb", "object_type", "object_id", "object_name")
    facts = [json.dumps(one, ensure_ascii=False) if one else "" for one in (entry.before, entry.after)]
    return [*(line[name] for name in names), *facts, line["uid"], line["position"] or "", line["chain_hash"]]


@site_page(read=Right.OWN, act=Right.OWN)
def site_audit_check(request: HttpRequest) -> HttpResponse:
    """The whole chain, here and now: half a minute for a million entries."""
    report = None
    if request.method == "POST":
        report = checking.check(request.user.email)
    return render_page(request, "audit/check.html", {"report": report, "list_url": reverse("site_audit")})
