"""Replacing a credential without a gap: one page that shows the steps and offers the one that is next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.access.step_up import StepUp
from portal.frame.render import redirect_to, render_page
from portal.pages.connection.forms import EntraCredentialForm, TokenForm
from portal.pages.connection.views import shown_half, shown_test
from sync.connection import clients, renewal, services
from sync.connection.renewal import Stage
from sync.models import Half, Tenant

STEPS: Mapping[Stage, str | Promise] = {
    Stage.ENTER: gettext_lazy("Enter the next credential"),
    Stage.TEST: gettext_lazy("Test it, while the other one goes on working"),
    Stage.SWITCH: gettext_lazy("Switch"),
    Stage.WAIT: gettext_lazy("Wait for a sync that succeeds with it"),
    Stage.DELETE: gettext_lazy("Delete the former one at its maker"),
}


@dataclass(frozen=True)
class ShownStep:
    label: str
    state: str


def steps(stage: Stage) -> list[ShownStep]:
    order = list(Stage)
    now = order.index(stage)
    states = {-1: "done", 0: "now", 1: "later"}
    return [ShownStep(str(STEPS[one]), states[(number > now) - (number < now)]) for number, one in enumerate(order)]


@page(read=Right.CONFIGURE, act=Right.CONFIGURE, step_up=StepUp.TO_OPEN)
def credential_renewal(request: HttpRequest, tenant: Tenant, half: Half) -> HttpResponse:
    """`step`: what a button of the page asks for."""
    act = ACTIONS.get(request.POST.get("step", ""))
    if act is None:
        return shown(request, tenant, half, form_of(request, tenant, half))
    try:
        return act(request, tenant, half)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect_to(request, "credential_renewal", tenant.slug, half)


def form_of(request: HttpRequest, tenant: Tenant, half: Half) -> EntraCredentialForm | TokenForm:
    data = request.POST if request.POST.get("step") == "enter" else None
    if half == Half.AWS:
        return TokenForm(data)
    return EntraCredentialForm(data, stored=tenant.entra, initial={"credential_kind": tenant.entra.credential_kind})


def shown(
    request: HttpRequest, tenant: Tenant, half: Half, form: EntraCredentialForm | TokenForm, status: int = 200
) -> HttpResponse:
    stage = renewal.stage_of(tenant, half)
    test = tenant.connection_tests.filter(half=half, second=True).first()
    context = {
        "tenant": tenant,
        "half": shown_half(tenant, half),
        "stage": stage.value,
        "steps": steps(stage),
        "second": renewal.second_of(tenant, half),
        "form": form,
        "test": shown_test(test) if test and stage in (Stage.TEST, Stage.SWITCH) else None,
        "federation": clients.presented_token(tenant.entra.cloud) if half == Half.ENTRA else {},
        "may_change": True,
    }
    return render_page(request, "connection/renewal.html", context, status=status)


def _enter(request: HttpRequest, tenant: Tenant, half: Half) -> HttpResponse:
    form = form_of(request, tenant, half)
    if not form.is_valid():
        return shown(request, tenant, half, form, status=422)
    if isinstance(form, TokenForm):
        facts = {"token": form.cleaned_data["token"], "created_on": form.cleaned_data["token_created_on"]}
        renewal.enter_token(tenant=tenant, actor=request.user.email, **facts)
    else:
        renewal.enter_credential(tenant=tenant, actor=request.user.email, **form.credential())
    messages.success(request, _("Saved beside the one in use, which goes on working."))
    return redirect_to(request, "credential_renewal", tenant.slug, half)


def _test(request: HttpRequest, tenant: Tenant, half: Half) -> HttpResponse:
    test = services.start_test(tenant=tenant, actor=request.user.email, half=half, second=True)
    return redirect_to(request, reverse("connection_test", args=[tenant.slug, test.pk]))


def _switch(request: HttpRequest, tenant: Tenant, half: Half) -> HttpResponse:
    renewal.switch(tenant=tenant, actor=request.user.email, half=half)
    messages.success(request, _("Switched. The next sync uses the other credential."))
    return redirect_to(request, "credential_renewal", tenant.slug, half)


def _remove(request: HttpRequest, tenant: Tenant, half: Half) -> HttpResponse:
    renewal.remove(tenant=tenant, actor=request.user.email, half=half)
    messages.success(request, _("Only the credential in use is stored here now."))
    return redirect_to(request, "connection", tenant.slug)


ACTIONS: Mapping[str, Callable[[HttpRequest, Tenant, Half], HttpResponse]] = {
    "enter": _enter,
    "test": _test,
    "switch": _switch,
    "remove": _remove,
}
