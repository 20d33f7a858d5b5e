"""The people who sign in: inviting them, their roles, and taking all that back. Each change asks again who is there."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from portal.access import sessions
from portal.access import users as accounts
from portal.access.approvers import owners
from portal.access.pages import site_page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.access.step_up import StepUp
from portal.frame.render import redirect_to, render_page, render_question
from portal.models import RoleGrant, User
from portal.pages.users.forms import InviteForm, RoleForm
from portal.pages.users.rows import rights_table, roles_from_entra, rows_of
from sync import audit

for_owners = site_page(read=Right.OWN, act=Right.OWN, step_up=StepUp.TO_ACT)
owners_act = site_page(act=Right.OWN, step_up=StepUp.TO_ACT)


@site_page(read=Right.OWN)
def users(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    found = User.objects.order_by("name", "email")
    if text:
        found = (found.filter(name__icontains=text) | found.filter(email__icontains=text)).distinct()
    roles, rights, holders = rights_table()
    context = {"rows": rows_of(found), "q": text, "roles": roles, "rights": rights, "holders": holders}
    besides = {"from_entra": roles_from_entra(), "lone_owner": len(owners()) == 1}
    return render_page(request, "users/list.html", context | besides)


@for_owners
def invite(request: HttpRequest) -> HttpResponse:
    form = InviteForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render_page(request, "users/invite.html", {"form": form}, status=422 if form.errors else 200)
    facts = form.cleaned_data
    person = accounts.add_user(
        actor=request.user.email,
        email=facts["email"],
        name=facts["name"],
        role=form.role_chosen,
        tenant=facts["tenant"],
    )
    return with_link(request, person)


def with_link(request: HttpRequest, person: User) -> HttpResponse:
    """The link is on this answer alone: the server could not show it again."""
    context = {"person": person, "link": accounts.password_link(person), "ends_at": accounts.link_end()}
    return render_page(request, "users/link.html", context)


@site_page(read=Right.OWN)
def user(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _person(pk), RoleForm())


def _page(request: HttpRequest, person: User, form: RoleForm, status: int = 200) -> HttpResponse:
    context = {
        "person": person,
        "row": rows_of([person])[0],
        "form": form,
        "sessions": sessions.sessions_of(person),
        "me": person == request.user,
    }
    return render_page(request, "users/detail.html", context, status=status)


@owners_act
def role_give(request: HttpRequest, pk: int) -> HttpResponse:
    person, form = _person(pk), RoleForm(request.POST)
    if not form.is_valid():
        return _page(request, person, form, status=422)
    facts: dict[str, Any] = {"role": form.role_chosen, "tenant": form.cleaned_data["tenant"]}
    return _done(request, person, lambda: accounts.give_role(actor=request.user.email, user=person, **facts))


@owners_act
def role_take(request: HttpRequest, pk: int) -> HttpResponse:
    person, slug = _person(pk), request.POST.get("tenant", "")
    # An unknown tenant is none, and not all of them.
    grants = RoleGrant.objects.filter(user=person).select_related("tenant")
    found = (grants.filter(tenant__slug=slug) if slug else grants.filter(tenant=None)).first()
    if found is None:
        return redirect_to(request, "user", person.pk)
    return _done(
        request, person, lambda: accounts.take_role(actor=request.user.email, user=person, tenant=found.tenant)
    )


@owners_act
def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    return _of_another(request, pk, accounts.deactivate)


@owners_act
def activate(request: HttpRequest, pk: int) -> HttpResponse:
    return _of_another(request, pk, accounts.activate)


@owners_act
def second_factor_reset(request: HttpRequest, pk: int) -> HttpResponse:
    return _of_another(request, pk, accounts.reset_second_factor)


def _of_another(request: HttpRequest, pk: int, act: Callable[..., Any]) -> HttpResponse:
    """What an Owner does to somebody else's account; to one's own there are one's own pages."""
    person = _person(pk)
    if person == request.user:
        messages.error(request, _("This is your own account: *Sign-in and security* has what you may change."))
        return redirect_to(request, "user", person.pk)
    return _done(request, person, lambda: act(actor=request.user.email, user=person))


@owners_act
def sessions_end(request: HttpRequest, pk: int) -> HttpResponse:
    person = _person(pk)
    sessions.end_sessions(person, but=request.session.session_key)
    audit.record(request.user.email, "user.end_sessions", person)
    messages.success(request, _("%(name)s is signed out everywhere.") % {"name": person})
    return redirect_to(request, "user", person.pk)


@for_owners
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    person = _person(pk)
    if person.roles_from_microsoft:
        messages.error(request, _("%(name)s signs in with Microsoft and has no password here.") % {"name": person})
        return redirect_to(request, "user", person.pk)
    if request.method != "POST" or person == request.user:
        question = _("End the password of %(name)s?") % {"name": person}
        return render_question(request, "users/reset.html", question, _asked_of(request, person))
    accounts.reset_password(actor=request.user.email, user=person)
    return with_link(request, person)


@for_owners
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    person = _person(pk)
    if request.method != "POST" or person == request.user:
        question = _("Remove the account of %(name)s?") % {"name": person}
        return render_question(request, "users/remove.html", question, _asked_of(request, person))
    try:
        accounts.remove_user(actor=request.user.email, user=person)
    except accounts.Refused as error:
        messages.error(request, str(error))
        return redirect_to(request, "user", person.pk)
    messages.success(request, _("The account of %(email)s is removed.") % {"email": person.email})
    return redirect_to(request, "users")


def _asked_of(request: HttpRequest, person: User) -> dict[str, Any]:
    return {"person": person, "me": person == request.user, "owner": accounts.is_owner(person)}


def _done(request: HttpRequest, person: User, act: Callable[[], Any]) -> HttpResponse:
    try:
        act()
        messages.success(request, _("Done. It counts from the next click of %(name)s on.") % {"name": person})
    except accounts.Refused as error:
        messages.error(request, str(error))
    return redirect_to(request, "user", person.pk)


def _person(pk: int) -> User:
    person = User.objects.filter(pk=pk).first()
    if person is None:
        raise Http404
    return person
