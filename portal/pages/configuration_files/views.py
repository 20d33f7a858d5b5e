"""Export and import of the configuration as JSON: first what a file would change, then into the draft."""

import json

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import ngettext

from portal.access.pages import page
from portal.access.quota import begin_export
from portal.access.request import HttpRequest, whole_number
from portal.access.roles import Right
from portal.frame.render import redirect_to, render_page
from portal.pages.configuration_files.forms import EntraSchemaForm, FileForm, TakeForm
from portal.pages.configuration_files.report import OUTCOMES, report_lines
from portal.words import changes
from sync import audit
from sync.configuration.drafts import draft_or_current
from sync.configuration.editing import problem_sentence
from sync.configuration.files import microsoft
from sync.configuration.files.applying import planned_changes, put_into_draft
from sync.configuration.files.microsoft import CannotRead, Incoming, SeveralJobs
from sync.configuration.files.section import NotImported
from sync.configuration.files.writing import export_configuration
from sync.configuration.items import digest
from sync.configuration.leavers import leavers_problems_with
from sync.models import Configuration, Tenant

FORMATS = {"lockstep": "configuration", "microsoft": "synchronization-schema"}


# --- Export ---


@page(read=Right.READ)
def configuration_export(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """The page, or the file itself with `?download=`."""
    configuration = _chosen(tenant, request.GET.get("version", ""))
    kind = request.GET.get("download", "")
    if kind in FORMATS:
        return _file(request, tenant, configuration, kind)
    _schema, report = microsoft.export_schema(configuration)
    context = {
        "tenant": tenant,
        "configuration": configuration,
        "chosen": configuration.number or "draft",
        "versions": _versions(tenant),
        "report": report_lines([line for line in report if line.outcome != "taken"]),
        "said": len([line for line in report if line.outcome == "taken"]),
    }
    return render_page(request, "configuration_files/export.html", context)


def _versions(tenant: Tenant) -> list[Configuration]:
    """The draft first, then the versions, the newest first."""
    return [*tenant.configurations.filter(number=None), *tenant.configurations.published().order_by("-number")]


def _chosen(tenant: Tenant, version: str) -> Configuration:
    """What pages show, unless a version or the draft is named."""
    if not version:
        return draft_or_current(tenant)
    number = whole_number(version)
    if version != "draft" and number is None:
        raise Http404
    found = tenant.configurations.filter(number=number).first()
    if found is None:
        raise Http404
    return found


def _file(request: HttpRequest, tenant: Tenant, configuration: Configuration, kind: str) -> HttpResponse:
    begin_export(request)
    document = microsoft.export_schema(configuration)[0] if kind == "microsoft" else export_configuration(configuration)
    audit.record(request.user.email, "configuration.export", configuration, None, {"format": kind})
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    name = f"{tenant.slug}-{FORMATS[kind]}-{configuration.number or 'draft'}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# --- Import ---


@page(read=Right.CONFIGURE, act=Right.CONFIGURE, takes_file=True)
def configuration_import(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """The form; `step=file` and `step=entra` show what would change, `step=take` does it."""
    steps = {"file": _check_file, "entra": _read_entra, "take": _take}
    step = steps.get(request.POST.get("step", "")) if request.method == "POST" else None
    return step(request, tenant) if step else _form(request, tenant)


def _form(
    request: HttpRequest,
    tenant: Tenant,
    file_form: FileForm | None = None,
    entra_form: EntraSchemaForm | None = None,
    status: int = 200,
) -> HttpResponse:
    mirrored = draft_or_current(tenant).mirrored_app
    context = {
        "tenant": tenant,
        "file_form": file_form or FileForm(),
        "entra_form": entra_form or EntraSchemaForm(initial={"application": mirrored}),
    }
    return render_page(request, "configuration_files/import.html", context, status=status)


def _check_file(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = FileForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            return _show(request, tenant, microsoft.read_text(form.content, draft_or_current(tenant)))
        except NotImported as error:
            form.refuse(error.problems)
    return _form(request, tenant, file_form=form, status=422)


def _read_entra(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = EntraSchemaForm(request.POST)
    if form.is_valid():
        try:
            schema = microsoft.fetch(tenant, form.cleaned_data["application"], form.cleaned_data["job"])
            return _show(request, tenant, microsoft.read_schema(schema, draft_or_current(tenant)))
        except SeveralJobs as error:
            form.offer(error.jobs)
            return _form(request, tenant, entra_form=form)
        except CannotRead as error:
            form.add_error("application", str(error))
        except NotImported as error:
            for problem in error.problems:
                form.add_error("application", str(problem))
    return _form(request, tenant, entra_form=form, status=422)


def _show(request: HttpRequest, tenant: Tenant, incoming: Incoming, status: int = 200) -> HttpResponse:
    """What would change. Nothing is stored: the page sends the file again with the confirmation."""
    report = report_lines(incoming.report)
    planned = planned_changes(tenant, incoming.wanted)
    context = {
        "tenant": tenant,
        "lines": changes.change_lines(tenant, planned),
        "leavers": [problem_sentence(problem) for problem in leavers_problems_with(tenant, incoming.wanted)],
        "report": [one for one in report if one.outcome != "taken"],
        "taken": [one for one in report if one.outcome == "taken"],
        "tally": {outcome: len([one for one in report if one.outcome == outcome]) for outcome in OUTCOMES},
        "document": incoming.text,
        "seen": digest(draft_or_current(tenant)),
        "changed_meanwhile": status == 409,
        "published": tenant.configurations.published().exists(),
    }
    return render_page(request, "configuration_files/check.html", context, status=status)


def _take(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = TakeForm(request.POST)
    if not form.is_valid():
        return _form(request, tenant, status=422)
    try:
        incoming = microsoft.read_text(form.cleaned_data["document"], draft_or_current(tenant))
    except NotImported as error:
        file_form = FileForm({"text": form.cleaned_data["document"]})
        file_form.is_valid()
        file_form.refuse(error.problems)
        return _form(request, tenant, file_form=file_form, status=422)
    if form.cleaned_data["seen"] != digest(draft_or_current(tenant)):
        return _show(request, tenant, incoming, status=409)
    changed = put_into_draft(tenant=tenant, actor=request.user.email, wanted=incoming.wanted)
    message = ngettext("%(n)d change is in the draft.", "%(n)d changes are in the draft.", len(changed))
    messages.success(request, message % {"n": len(changed)})
    if tenant.configurations.published().exists():
        return redirect_to(request, "draft", tenant.slug)
    return redirect_to(request, "mappings", tenant.slug, "user")


# --- Microsoft's report ---
