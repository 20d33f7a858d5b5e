"""What is done about an edit before runs use it: a preview of the draft, publishing it, keeping a person in scope."""

from collections.abc import Collection, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from sync.configuration import assignments, drafts, second_person
from sync.configuration.filters import save_filter
from sync.configuration.items import digest
from sync.configuration.ruleset import Rules
from sync.configuration.versions import make_version
from sync.directory.live import Found
from sync.engine.scope import nesting
from sync.engine.scope.deciding import Deciding
from sync.models import ChangeRequest, Configuration, DirectoryUser, Run, Tenant
from sync.preview.queries.previews import ASKED_HOLDS, changed_since, missing_for_publishing, newest_preview
from sync.rules.scope import Reason, Scope
from sync.runs.requests import cancel_run, request_run


class NothingToPreview(Exception):
    """Everything is published, or nothing was ever."""


def request_preview(*, tenant: Tenant, actor: str, trigger: str = Run.Trigger.PERSON, enqueue: bool = True) -> Run:
    """The draft's preview: the one that is under way, unless the draft changed since it began. Raises NothingToPreview."""
    with transaction.atomic():
        draft = tenant.configurations.draft()
        if draft is None or not drafts.changes(tenant):
            raise NothingToPreview
        newest = newest_preview(tenant, draft)
        if newest is not None and newest.open and changed_since(newest, draft):
            cancel_run(run=newest, actor=actor)
        return request_run(
            tenant=tenant,
            kind=Run.Kind.PREVIEW,
            trigger=trigger,
            actor=actor,
            enqueue=enqueue,
            draft=draft,
            digest=digest(draft),
        )


class NotPublished(Exception):
    """`reasons`: codes of what stands in the way: nothing-changed, no-preview, stale, blocked, not-seen."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


@transaction.atomic
def publish_draft(
    *, tenant: Tenant, actor: str, preview: Run | None, comment: str = "", seen: Collection[str] = ()
) -> Configuration | ChangeRequest:
    """The draft becomes the next version; its fresh preview is the yes to what it lists. Where the tenant asks for two
    people, one who edited the draft only asks for it. Raises NotPublished."""
    draft = tenant.configurations.select_for_update().draft()
    if reasons := missing_for_publishing(tenant, preview, seen):
        raise NotPublished(reasons)
    assert draft is not None
    assert preview is not None
    editors = drafts.editors_of(draft)
    if not tenant.two_people or second_person.may_decide(actor, editors):
        return make_version(draft, actor=actor, comment=comment, preview=preview)
    facts = {"preview": preview.number, "comment": comment, "seen": sorted(seen)}
    return second_person.ask(tenant=tenant, kind=ChangeRequest.Kind.PUBLISH, actor=actor, facts=facts, causers=editors)


@transaction.atomic
def publish_asked(request: ChangeRequest) -> Configuration:
    """The publishing that waited for a second person, of the same draft. Raises NotPublished."""
    tenant, facts = request.tenant, request.facts
    draft = tenant.configurations.select_for_update().draft()
    preview = tenant.runs.filter(number=facts["preview"]).first()
    if reasons := missing_for_publishing(tenant, preview, facts["seen"], ASKED_HOLDS):
        raise NotPublished(reasons)
    assert draft is not None
    return make_version(draft, actor=request.asked_by, comment=facts["comment"], preview=preview)


class CannotKeep(Exception):
    """`reason`: a code of sync.rules.scope that no exception of one person overrules."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@transaction.atomic
def keep_person(*, tenant: Tenant, actor: str, person: DirectoryUser) -> None:
    """Assigns the person; where a filter is in the way, adds one that lets this person pass. Raises CannotKeep."""
    draft = drafts.locked_draft(tenant, actor)
    for edit in (_assign, _let_pass):
        scope = scope_of(draft, person)
        if scope.in_scope:
            return
        edit(tenant, actor, person, scope)
    if not (scope := scope_of(draft, person)).in_scope:
        raise CannotKeep(scope.reason)


def scope_of(configuration: Configuration, person: DirectoryUser) -> Scope:
    """By today's mirror."""
    rules = Rules.of(configuration)
    closure = nesting.closure_of(configuration.tenant, rules)
    included = ((group_id, path) for (_assigned, group_id), path in closure.items())
    [scope] = Deciding(configuration.tenant, rules, included).scopes([person])
    return scope


def _assign(tenant: Tenant, actor: str, person: DirectoryUser, scope: Scope) -> None:
    if scope.reason == Reason.NOT_ASSIGNED:
        found = Found("user", person.object_id, str(person), person.user_principal_name, "person")
        assignments.assign_objects(actor=actor, tenant=tenant, chosen=[found])


def _let_pass(tenant: Tenant, actor: str, person: DirectoryUser, scope: Scope) -> None:
    """One filter is enough to pass, so an exception is a filter of its own."""
    if scope.reason != Reason.OUTSIDE_FILTER:
        return
    clause = {
        "attribute": "userPrincipalName",
        "operator": "EQUALS",
        "value": person.user_principal_name,
        "ignore_case": True,
    }
    title = (_("Keep %(name)s") % {"name": person})[:200]
    save_filter(actor=actor, tenant=tenant, object_type="user", title=title, clauses=[clause])
