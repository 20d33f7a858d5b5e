"""Connection: two halves, each with its state, its form and its test."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.rights import can
from portal.access.roles import Right
from portal.access.step_up import StepUp
from portal.frame.render import redirect_to, render_page
from portal.pages.connection.forms import AwsForm, EntraForm
from sync.connection import clients, lab, renewal, services
from sync.connection.checks.running import FINAL
from sync.connection.checks.wording import Described, describe, summary
from sync.connection.services import HalfState
from sync.directory import subscriptions
from sync.models import AwsConnection, ConnectionTest, EntraConnection, Half, Tenant

LAST_TESTS = 10
NO_WORKER_SECONDS = 10


@dataclass(frozen=True)
class ShownHalf:
    """What a card shows of one half."""

    half: Half
    connection: EntraConnection | AwsConnection
    state: HalfState
    edit_url: str
    ends_on: datetime.date | None
    days_left: int | None
    region: str = ""
    store: str = ""


@dataclass(frozen=True)
class ShownTest:
    """A test with its rows in words. `seen`: the number that a poller hands back; it moves when the list does."""

    row: ConnectionTest
    checks: list[Described]
    summary: str
    passed: int
    nobody_took_it: bool
    seen: str
    follows: str

    @property
    def result(self) -> str:
        """The word that the table of tests shows: one of the check words."""
        if self.row.state != ConnectionTest.State.DONE:
            return "checking"
        if not self.row.passed:
            return "failed"
        return "warning" if any(check.state == "warning" for check in self.checks) else "passed"


@page(read=Right.READ)
def connection(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    return render_page(request, "connection/detail.html", connection_context(request, tenant))


def connection_context(request: HttpRequest, tenant: Tenant) -> dict[str, Any]:
    tests = [shown_test(test) for test in tenant.connection_tests.all()[:LAST_TESTS]]
    latest = [tenant.connection_tests.filter(half=half, second=False).first() for half in Half]
    return {
        "tenant": tenant,
        "halves": [shown_half(tenant, half) for half in Half],
        "latest": [shown_test(test) for test in latest if test],
        "tests": tests,
        "notified": notified(tenant),
        "may_change": can(request.user, tenant, Right.CONFIGURE),
    }


def notified(tenant: Tenant) -> dict[str, Any]:
    """How Microsoft's change notifications stand."""
    return {
        "rows": list(tenant.graph_subscriptions.order_by("-resource")),
        "reachable": subscriptions.can_be_reached(tenant.entra),
        "address": subscriptions.address(),
    }


def shown_half(tenant: Tenant, half: Half) -> ShownHalf:
    stored = tenant.aws if half == Half.AWS else tenant.entra
    stored.refresh_from_db()
    ends_on = services.ends_of(stored)
    return ShownHalf(
        half,
        stored,
        services.half_state(stored),
        edit_url(tenant, half),
        ends_on,
        (ends_on - timezone.localdate()).days if ends_on else None,
        *region_and_store(stored),
    )


def edit_url(tenant: Tenant, half: str) -> str:
    return reverse("connection_aws" if half == Half.AWS else "connection_entra", args=[tenant.slug])


def region_and_store(stored: EntraConnection | AwsConnection) -> tuple[str, str]:
    """Read out of the endpoint's address; empty where it cannot be read any more."""
    if not isinstance(stored, AwsConnection) or not stored.endpoint:
        return "", ""
    try:
        endpoint = clients.scim_endpoint(stored.endpoint)
    except ValueError:
        return "", ""
    return endpoint.region or "", endpoint.tenant_id or ""


def shown_test(test: ConnectionTest) -> ShownTest:
    checks = [describe(row) for row in test.checks]
    final = sum(check.state in FINAL for check in checks)
    age = (timezone.now() - test.created_at).total_seconds()
    nobody = test.state == ConnectionTest.State.WAITING and age > NO_WORKER_SECONDS
    slow = max((check.waiting_seconds for check in checks), default=0)
    return ShownTest(
        row=test,
        checks=checks,
        summary=summary(test.checks),
        passed=sum(check.state in ("passed", "warning") for check in checks),
        nobody_took_it=nobody,
        seen=f"{test.state}-{final}-{slow}-{int(nobody)}",
        follows=what_follows(test),
    )


def what_follows(test: ConnectionTest) -> str:
    if test.state != ConnectionTest.State.DONE or not test.passed:
        return ""
    if test.second:
        return _("The credential in use goes on working until you switch.")
    if not test.tenant.enabled:
        return ""
    if services.works_again(test.tenant):
        return _("Provisioning was quarantined over this half. A try begins by itself within seconds.")
    return _("The next sync uses this connection.") if not test.tenant.quarantined_at else ""


@page(read=Right.CONFIGURE, act=Right.CONFIGURE, step_up=StepUp.TO_OPEN)
def connection_entra(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = EntraForm(request.POST or None, stored=tenant.entra)
    if request.method == "POST" and form.is_valid():
        services.save_entra(tenant=tenant, actor=request.user.email, **form.values())
        return saved(request, tenant, Half.ENTRA)
    return form_page(request, tenant, Half.ENTRA, form)


@page(read=Right.CONFIGURE, act=Right.CONFIGURE, step_up=StepUp.TO_OPEN)
def connection_aws(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = AwsForm(request.POST or None, stored=tenant.aws)
    if request.method == "POST" and form.is_valid():
        services.save_aws(tenant=tenant, actor=request.user.email, **form.values())
        return saved(request, tenant, Half.AWS)
    return form_page(request, tenant, Half.AWS, form)


@page(act=Right.CONFIGURE)
def connection_lab(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Both halves with the lab's own values, and a test of each."""
    if not lab.is_offered_to(tenant):
        raise Http404(_("There is no rehearsal lab here, or the tenant is connected to something else."))
    try:
        values = lab.connection_values()
    except lab.NoLab:
        messages.error(request, _("The rehearsal lab does not answer. Start Lockstep again with --lab."))
        return redirect_to(request, "connection", tenant.slug)
    services.connect(tenant, values, actor=request.user.email)
    for half in Half:
        services.start_test(tenant=tenant, actor=request.user.email, half=half)
    messages.success(request, _("The values of the rehearsal lab are entered. Both halves are being tested."))
    return redirect_to(request, "connection", tenant.slug)


@page(read=Right.CONFIGURE)
def connection_certificate(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """The public part, for an upload in Entra; with `second` of the next credential."""
    certificate = renewal.public_certificate(tenant, second="second" in request.GET)
    if certificate is None:
        messages.info(request, _("There is no certificate here that could be downloaded."))
        return redirect_to(request, "connection", tenant.slug)
    response = HttpResponse(certificate, content_type="application/pkix-cert")
    response["Content-Disposition"] = f'attachment; filename="lockstep-{tenant.slug}.cer"'
    return response


def form_page(request: HttpRequest, tenant: Tenant, half: Half, form: EntraForm | AwsForm) -> HttpResponse:
    federation = clients.presented_token(tenant.entra.cloud) if half == Half.ENTRA else {}
    context = {
        "tenant": tenant,
        "half": shown_half(tenant, half),
        "form": form,
        "federation": federation,
        "lab": lab.is_offered_to(tenant),
    }
    return render_page(request, f"connection/{half}.html", context, status=422 if form.is_bound else 200)


def saved(request: HttpRequest, tenant: Tenant, half: Half) -> HttpResponse:
    """*Save and test* goes on to the test; *Save* goes back to where the admin is heading."""
    messages.success(request, _("Saved. Nothing is sent to AWS by saving or testing."))
    if "test" in request.POST:
        test = services.start_test(tenant=tenant, actor=request.user.email, half=half)
        return redirect_to(request, reverse("connection_test", args=[tenant.slug, test.pk]))
    return redirect_to(request, reverse("connection" if tenant.enabled_changed_at else "setup", args=[tenant.slug]))


@page(act=Right.CONFIGURE)
def connection_test_start(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """`half`: entra or aws; both when it is missing."""
    chosen = [half for half in Half if request.POST.get("half", half) == half] or list(Half)
    for half in chosen:
        services.start_test(tenant=tenant, actor=request.user.email, half=half)
    if request.htmx:
        return render_page(request, "connection/detail.html", connection_context(request, tenant), partial="latest")
    return redirect_to(request, reverse("connection", args=[tenant.slug]))


@page(read=Right.READ)
def connection_test(request: HttpRequest, tenant: Tenant, test_id: int) -> HttpResponse:
    """One test; its poller hands back what it has `seen` and gets 204 while nothing is new."""
    test = shown_test(get_object_or_404(ConnectionTest, tenant=tenant, pk=test_id))
    if request.htmx and request.GET.get("seen") == test.seen:
        return HttpResponse(status=204)
    context = {
        "tenant": tenant,
        "test": test,
        "half": shown_half(tenant, Half(test.row.half)),
        "may_change": can(request.user, tenant, Right.CONFIGURE),
        # The page that polls shows the two cards too, and their state changes with the last check.
        "cards": "cards" in request.GET,
    }
    return render_page(request, "connection/test.html", context, partial="test")
