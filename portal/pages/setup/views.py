"""Set-up: a list of tasks, in the order that most people take; free except where one needs another."""

from dataclasses import dataclass
from enum import StrEnum

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.rights import can
from portal.access.roles import Right
from portal.frame.render import render_page
from portal.words.provisioning import off_words
from sync.configuration.drafts import draft_or_current
from sync.connection import services
from sync.models import AwsConnection, ConnectionTest, EntraConnection, Half, Tenant
from sync.rules.template import recommended_for_aws


class State(StrEnum):
    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Task:
    name: str
    hint: str
    state: State
    url: str = ""
    # Why it cannot start yet.
    why: str = ""


@page(read=Right.READ)
def setup(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    tasks = tasks_of(tenant, owner=can(request.user, tenant, Right.OWN))
    under_way = tenant.connection_tests.exclude(state=ConnectionTest.State.DONE).exists()
    context = {
        "tenant": tenant,
        "tasks": tasks,
        "done": sum(task.state == State.DONE for task in tasks),
        "following": next((task for task in tasks if task.state in (State.NOT_STARTED, State.IN_PROGRESS)), None),
        "under_way": under_way,
        "may_change": can(request.user, tenant, Right.CONFIGURE),
    }
    return render_page(request, "setup/detail.html", context, partial="tasks")


def tasks_of(tenant: Tenant, *, owner: bool) -> list[Task]:
    entra = connect_entra(tenant)
    aws = connect_aws(tenant)
    people = choose_people(tenant, entra)
    settings = reverse("tenant_settings", args=[tenant.slug]) if owner else ""
    before = [entra, aws, check_mappings(tenant), people, who_gets_told(tenant)]
    name = Task(
        _("Name and time zone"),
        f"{tenant.name}, {tenant.time_zone}",
        State.DONE,
        settings,
    )
    return [name, *before, turn_on_task(tenant, [entra, aws, people])]


def connect_entra(tenant: Tenant) -> Task:
    entra = tenant.entra
    hint = _("An app in Entra that may read people and groups.")
    if entra.complete:
        hint = ", ".join(filter(None, [entra.directory_name, entra.get_credential_kind_display()]))
    url = reverse("connection_entra", args=[tenant.slug])
    return Task(_("Connect Microsoft Entra ID"), half_failure(entra) or hint, half_task(entra), url)


def connect_aws(tenant: Tenant) -> Task:
    hint = tenant.aws.endpoint or _("The SCIM endpoint and an access token.")
    url = reverse("connection_aws", args=[tenant.slug])
    return Task(_("Connect AWS IAM Identity Center"), half_failure(tenant.aws) or hint, half_task(tenant.aws), url)


def half_task(half: EntraConnection | AwsConnection) -> State:
    if half.passed:
        return State.DONE
    return State.IN_PROGRESS if half.changed_at else State.NOT_STARTED


def half_failure(half: EntraConnection | AwsConnection) -> str:
    """The first failure of the last test of these very values, or that no test was made yet."""
    if not half.changed_at or half.passed:
        return ""
    if not services.tested_as_stored(half):
        return _("Saved. Test the connection next.")
    kind = Half.AWS if isinstance(half, AwsConnection) else Half.ENTRA
    return services.first_failure(half.tenant, kind) or _("The last test failed.")


def check_mappings(tenant: Tenant) -> Task:
    """Done when the rows are as AWS needs them: one phone number, an external ID that stays."""
    rows = draft_or_current(tenant).mappings.filter(object_type="user")
    rules = tuple(row.rule() for row in rows)
    url = reverse("mappings", args=[tenant.slug, "user"])
    if recommended_for_aws(rules) == rules:
        return Task(_("Check the mappings"), _("They fit what AWS takes."), State.DONE, url)
    edited = any(not row.from_template for row in rows)
    hint = _("The defaults are ready. AWS asks for three edits; one button makes them.")
    return Task(_("Check the mappings"), hint, State.IN_PROGRESS if edited else State.NOT_STARTED, url)


def choose_people(tenant: Tenant, entra: Task) -> Task:
    name, url = _("Choose people and groups"), reverse("assignments", args=[tenant.slug])
    assigned = draft_or_current(tenant).assignments.count()
    if assigned:
        words = ngettext("%(count)s assignment", "%(count)s assignments", assigned) % {"count": assigned}
        return Task(name, words, State.DONE, url)
    hint = _("We recommend groups: new members then arrive by themselves.")
    if entra.state != State.DONE:
        return Task(name, hint, State.BLOCKED, why=_("connect Entra first"))
    return Task(name, hint, State.NOT_STARTED, url)


def who_gets_told(tenant: Tenant) -> Task:
    names = ", ".join(channel.name for channel in tenant.channels.filter(on=True))
    state = State.DONE if names else State.NOT_STARTED
    return Task(
        _("Who gets told"), names or _("An address for failures."), state, reverse("notifications", args=[tenant.slug])
    )


def turn_on_task(tenant: Tenant, needed: list[Task]) -> Task:
    name = _("Turn provisioning on")
    hint = off_words(tenant) if tenant.paused else _("The first sync starts at once.")
    missing = [task.name for task in needed if task.state != State.DONE]
    if tenant.enabled:
        return Task(name, hint, State.DONE, reverse("provisioning", args=[tenant.slug]))
    if missing:
        return Task(name, hint, State.BLOCKED, why=_("needs %(tasks)s") % {"tasks": ", ".join(missing)})
    return Task(name, hint, State.NOT_STARTED, reverse("turn_on", args=[tenant.slug]))
