"""The Notifications pages of a tenant."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.quota import TEST, take
from portal.access.request import HttpRequest, whole_number
from portal.access.roles import Right
from portal.access.step_up import StepUp
from portal.frame.paging import PAGE, Pager
from portal.frame.render import redirect_to, render_page, render_question
from portal.pages.notifications.forms import ChannelForm
from sync.models import Channel, Tenant
from sync.notifications import queries, services


@page(read=Right.READ)
def notifications(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    context = {
        "tenant": tenant,
        "rules": queries.rules(tenant),
        "ringing": queries.ringing(Tenant.objects.filter(pk=tenant.pk)).count(),
        **around(tenant),
    }
    return render_page(request, "notifications/list.html", context, partial="channels")


@page(read=Right.READ)
def deliveries(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    shown = Paginator(queries.deliveries(tenant), PAGE).get_page(whole_number(request.GET.get("page", "")) or 1)
    context = {"tenant": tenant, "deliveries": shown, "pager": Pager.of(request, shown), **around(tenant)}
    return render_page(request, "notifications/sent.html", context)


def around(tenant: Tenant) -> dict[str, Any]:
    channels = queries.channels(tenant)
    return {
        "channels": channels,
        "testing": any(channel.testing for channel in channels),
        "kinds_of_channel": Channel.Kind.choices,
        "sent": queries.deliveries(tenant).count(),
        "goes_nowhere": queries.goes_nowhere() and any(one.channel.kind == Channel.Kind.EMAIL for one in channels),
    }


@page(read=Right.OPERATE, act=Right.OPERATE, step_up=StepUp.TO_OPEN)
def channel_add(request: HttpRequest, tenant: Tenant, kind: str) -> HttpResponse:
    if kind not in Channel.Kind.values:
        raise Http404
    form = ChannelForm(
        request.POST or None, kind=kind, initial={"on": True, "kinds": [one.name for one in queries.KINDS]}
    )

    def save(**facts: Any) -> str:
        return services.add_channel(tenant=tenant, actor=request.user.email, kind=kind, **facts)[1]

    return edit(request, tenant, form, save, {"kind": Channel.Kind(kind)})


@page(read=Right.OPERATE, act=Right.OPERATE, step_up=StepUp.TO_OPEN)
def channel(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    stored = get_object_or_404(tenant.channels, pk=pk)
    initial = {"name": stored.name, "to": stored.email, "kinds": stored.kinds, "on": stored.on}
    form = ChannelForm(request.POST or None, kind=stored.kind, stored=stored, initial=initial)

    def save(**facts: Any) -> str:
        return services.save_channel(channel=stored, actor=request.user.email, **facts)

    return edit(request, tenant, form, save, {"kind": Channel.Kind(stored.kind), "stored": stored})


def edit(
    request: HttpRequest, tenant: Tenant, form: ChannelForm, save: Callable[..., str], context: dict[str, Any]
) -> HttpResponse:
    """`save` returns a secret that was made, which is shown once, by the answer to the POST itself."""
    if request.method == "POST" and form.is_valid():
        try:
            secret = save(**form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return saved(request, tenant, secret)
    rows = [(box, kind) for box, kind in zip(form["kinds"], queries.KINDS, strict=True)]
    status = 422 if form.errors else 200
    return render_page(
        request, "notifications/channel.html", {"tenant": tenant, "form": form, "rows": rows, **context}, status=status
    )


def saved(request: HttpRequest, tenant: Tenant, secret: str) -> HttpResponse:
    if secret:
        return render_page(request, "notifications/secret.html", {"tenant": tenant, "secret": secret})
    messages.success(request, _("Saved. Send a test to see that it arrives."))
    return redirect_to(request, "notifications", tenant.slug)


@page(act=Right.OPERATE)
def channel_test(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    take(request, TEST)
    services.send_test(channel=get_object_or_404(tenant.channels, pk=pk), actor=request.user.email)
    return redirect_to(request, "notifications", tenant.slug)


@page(read=Right.OPERATE, act=Right.OPERATE)
def channel_remove(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    stored = get_object_or_404(tenant.channels, pk=pk)
    if request.method != "POST":
        question = _("Remove the channel %(name)s?") % {"name": stored.name}
        return render_question(request, "notifications/remove.html", question, {"tenant": tenant, "channel": stored})
    services.remove_channel(channel=stored, actor=request.user.email)
    messages.success(request, _("%(name)s is removed.") % {"name": stored.name})
    return redirect_to(request, "notifications", tenant.slug)
