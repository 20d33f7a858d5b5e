"""Cutting a person's link with the user in AWS: asked first, with what follows from it."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.access.step_up import StepUp
from portal.frame.render import redirect_to, render_question
from portal.words.progress import BUSY
from sync.models import Link, Tenant
from sync.people import services
from sync.runs.lease import Busy

NOT_LINKED = gettext_lazy("Nothing was changed: the person is not linked any more.")


class CutForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        label=gettext_lazy("Why the user in AWS is not this person"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@page(read=Right.APPROVE, act=Right.APPROVE, step_up=StepUp.TO_ACT)
def person_match(request: HttpRequest, tenant: Tenant, object_id: str) -> HttpResponse:
    link = link_or_404(tenant, object_id)
    if request.method != "POST":
        question = _("Cut the link and match again?")
        return render_question(request, "people/match.html", question, {"tenant": tenant, "link": link})
    try:
        services.match_again(link=link, actor=request.user.email)
        messages.success(request, _("The next sync looks for this person in AWS."))
    except Busy:
        messages.error(request, BUSY)
    except services.NotLinked:
        messages.error(request, NOT_LINKED)
    return redirect_to(request, "person", tenant.slug, object_id)


@page(read=Right.APPROVE, act=Right.APPROVE, step_up=StepUp.TO_ACT)
def person_cut(request: HttpRequest, tenant: Tenant, object_id: str) -> HttpResponse:
    link = link_or_404(tenant, object_id)
    form = CutForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"tenant": tenant, "link": link, "form": form}
        return render_question(request, "people/cut.html", _("Cut the link?"), context)
    try:
        services.cut_link(link=link, actor=request.user.email, reason=form.cleaned_data["reason"])
        messages.success(request, _("The link is cut. The user in AWS is left alone."))
    except Busy:
        messages.error(request, BUSY)
    except services.NotLinked:
        messages.error(request, NOT_LINKED)
    return redirect_to(request, "person", tenant.slug, object_id)


def link_or_404(tenant: Tenant, object_id: str) -> Link:
    link = tenant.links.filter(object_type="user", object_id=object_id).exclude(scim_id="").first()
    if link is None:
        raise Http404
    return link
