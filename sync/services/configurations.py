"""Configurations: which Entra value lands in which AWS field, and who is assigned.

Every write locks the configuration, moves `changed_at` (the next run then looks at everybody again) and
leaves an audit entry, all in one transaction.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sync import audit, mapping
from sync.directory import Found
from sync.inclusion import effective_members
from sync.models import (
    Assignment,
    AttributeMapping,
    Configuration,
    DirectoryMembership,
    DirectoryUser,
    Inclusion,
    Tenant,
)
from sync.services.tenants import add_default_mappings, configuration_of

FIELDS = ("target", "kind", "source", "default", "apply", "matching", "when_empty")


class Refused(Exception):
    """A mapping that must not be saved, or removed; `problems` says why, by field of the row."""

    def __init__(self, problems: Sequence[mapping.Problem]) -> None:
        super().__init__("; ".join(problem.sentence for problem in problems))
        self.problems = problems


def sentence(problem: mapping.Problem) -> str:
    """What is wrong, in the reader's language; an expression's own message is translated first."""
    params = dict(problem.params)
    if problem.cause is not None:
        params["message"] = _(problem.cause.template) % problem.cause.params
    return _(mapping.MESSAGES[problem.code]) % params


@transaction.atomic
def save_mapping(
    *,
    actor: str,
    tenant: Tenant,
    object_type: str,
    rule: mapping.Mapping,
    row: AttributeMapping | None = None,
) -> AttributeMapping:
    """Adds a row, or changes `row`. Raises Refused; a row saved unchanged stays what it was."""
    configuration = _locked(tenant)
    rule = mapping.canonical(rule)
    matching = _matching(configuration)
    before = _facts(row.rule()) if row else None
    if before == _facts(rule) and row:
        return row
    others = configuration.mappings.filter(object_type=object_type)
    others = others.exclude(pk=row.pk) if row else others
    if problems := mapping.check_mapping(rule, [other.rule() for other in others], object_type):
        raise Refused(problems)
    if row is None:
        position = _next_position(configuration, object_type)
        row = AttributeMapping(configuration=configuration, object_type=object_type, position=position)
    _fill(row, rule, from_template=False)
    row.save()
    _changed(configuration, actor, matching)
    audit.record(actor, "mapping.change" if before else "mapping.add", row, before, _facts(rule))
    return row


@transaction.atomic
def replace_mappings(*, actor: str, tenant: Tenant, object_type: str, rules: Sequence[mapping.Mapping]) -> None:
    """Makes the rows of one kind of object exactly `rules`, which the caller has checked as a set."""
    configuration = _locked(tenant)
    rules = [mapping.canonical(rule) for rule in rules]
    rows = {row.target: row for row in configuration.mappings.filter(object_type=object_type)}
    matching = _matching(configuration)
    before = _sources(configuration, object_type)
    own = {facts_key(rule) for rule in template(object_type)}
    wanted = [rule.target for rule in rules]
    configuration.mappings.filter(object_type=object_type).exclude(target__in=wanted).delete()
    changed = len(rows) != len(rules)
    for position, rule in enumerate(rules, start=1):
        row = rows.get(rule.target) or AttributeMapping(configuration=configuration, object_type=object_type)
        if row.pk is None or facts_key(row.rule()) != facts_key(rule):
            changed = True
            _fill(row, rule, from_template=facts_key(rule) in own)
        row.position = position
        row.save()
    if changed:
        _changed(configuration, actor, matching)
        audit.record(actor, "mapping.replace", tenant, before, _sources(configuration, object_type))


@transaction.atomic
def remove_mapping(*, actor: str, tenant: Tenant, row: AttributeMapping) -> None:
    """Raises Refused when AWS requires the field."""
    configuration = _locked(tenant)
    if row.target in mapping.required_targets(row.object_type):
        raise Refused([mapping.Problem("required-row")])
    matching = _matching(configuration)
    audit.record(actor, "mapping.remove", row, _facts(row.rule()), None)
    row.delete()
    _changed(configuration, actor, matching)


@transaction.atomic
def reset_mappings(*, actor: str, tenant: Tenant, object_type: str) -> None:
    """Back to the template: every row goes, the template's come."""
    configuration = _locked(tenant)
    before, matching = _sources(configuration, object_type), _matching(configuration)
    configuration.mappings.filter(object_type=object_type).delete()
    add_default_mappings(configuration, object_type)
    _changed(configuration, actor, matching)
    audit.record(actor, "mapping.reset", tenant, before, _sources(configuration, object_type))


@transaction.atomic
def apply_recommended(*, actor: str, tenant: Tenant) -> None:
    """The three edits that AWS needs on the template of people; every other row stays as it is."""
    configuration = _locked(tenant)
    rows = {row.target: row for row in configuration.mappings.filter(object_type="user")}
    before, matching = _sources(configuration, "user"), _matching(configuration)
    kept = {rule.target: rule for rule in mapping.recommended_for_aws(row.rule() for row in rows.values())}
    for target, row in rows.items():
        if target not in kept:
            row.delete()
        elif _facts(kept[target]) != _facts(row.rule()):
            row.kind, row.source, row.from_template = kept[target].kind, kept[target].source, False
            row.save()
    _changed(configuration, actor, matching)
    audit.record(actor, "mapping.recommended", tenant, before, _sources(configuration, "user"))


@transaction.atomic
def assign(*, actor: str, tenant: Tenant, chosen: Iterable[Found]) -> list[Assignment]:
    """Assigns what is not assigned yet, and returns those."""
    configuration = _locked(tenant)
    have = set(configuration.assignments.values_list("object_type", "object_id"))
    new = [one for one in chosen if (one.object_type, one.object_id) not in have]
    rows = [_assign(configuration, actor, one) for one in new]
    if rows:
        _scope_changed(configuration, actor)
    return rows


@transaction.atomic
def unassign(*, actor: str, tenant: Tenant, assignment: Assignment) -> None:
    configuration = _locked(tenant)
    facts = {"name": assignment.display_name, "id": assignment.object_id}
    audit.record(actor, "assignment.remove", assignment, facts, None)
    assignment.delete()
    _scope_changed(configuration, actor)


@transaction.atomic
def set_nested(*, actor: str, tenant: Tenant, assignment: Assignment, nested: bool) -> None:
    """Whether an assigned group brings the members of the groups inside it too."""
    configuration = _locked(tenant)
    if assignment.nested == nested or assignment.object_type != "group":
        return
    audit.record(actor, "assignment.nested", assignment, {"nested": assignment.nested}, {"nested": nested})
    assignment.nested = nested
    assignment.save(update_fields=["nested"])
    _scope_changed(configuration, actor)


@transaction.atomic
def set_scope(*, actor: str, tenant: Tenant, everybody: bool, mirrored_app: str) -> None:
    """`mirrored_app`: object id of the enterprise application whose assignments are mirrored; empty: none.

    What came from another application goes; the next run brings those of this one.
    """
    configuration = _locked(tenant)
    before = {"everybody": configuration.everybody, "mirrored_app": configuration.mirrored_app}
    after = {"everybody": everybody, "mirrored_app": mirrored_app}
    if before == after:
        return
    if configuration.mirrored_app != mirrored_app:
        configuration.assignments.filter(mirrored=True).delete()
    configuration.everybody, configuration.mirrored_app = everybody, mirrored_app
    configuration.save(update_fields=["everybody", "mirrored_app"])
    _scope_changed(configuration, actor)
    audit.record(actor, "scope.change", tenant, before, after)


def who_leaves(tenant: Tenant, assignment: Assignment) -> list[DirectoryUser]:
    """The people, by name, who are in AWS's scope only through this assignment, as the mirror has them."""
    configuration = configuration_of(tenant)
    if configuration.everybody:
        return []
    others = configuration.assignments.exclude(pk=assignment.pk)
    people = DirectoryUser.objects.filter(tenant=tenant, deleted="", object_id__in=_brought_by(tenant, assignment))
    people = people.exclude(object_id__in=others.filter(object_type="user").values("object_id"))
    groups = others.filter(object_type="group").values("object_id")
    included = Inclusion.objects.filter(tenant=tenant, assigned_id__in=groups).values("group_id")
    for ids in (groups, included):
        listed = DirectoryMembership.objects.filter(tenant=tenant, group_id__in=ids).values("member_id")
        people = people.exclude(object_id__in=listed)
    return list(people.order_by("display_name"))


def _brought_by(tenant: Tenant, assignment: Assignment) -> list[str]:
    if assignment.object_type == "group":
        return list(effective_members(tenant, assignment.object_id))
    return [assignment.object_id]


def _assign(configuration: Configuration, actor: str, one: Found) -> Assignment:
    row = Assignment.objects.create(
        configuration=configuration,
        object_type=one.object_type,
        object_id=one.object_id,
        display_name=one.name[:256],
        detail=(one.detail or one.kind)[:256],
        created_by=actor,
    )
    audit.record(actor, "assignment.add", row, None, {"name": row.display_name, "id": row.object_id})
    return row


def _locked(tenant: Tenant) -> Configuration:
    return Configuration.objects.select_for_update().get(pk=configuration_of(tenant).pk)


def _changed(configuration: Configuration, actor: str, matching: set[tuple[Any, ...]]) -> None:
    """`matching`: the matching rules before; other ones may tie people to other objects, which wants a preview."""
    if matching != _matching(configuration):
        _scope_changed(configuration, actor)
        return
    configuration.changed_at, configuration.changed_by = timezone.now(), actor
    configuration.save(update_fields=["changed_at", "changed_by"])


def _scope_changed(configuration: Configuration, actor: str) -> None:
    configuration.changed_at = configuration.scope_changed_at = timezone.now()
    configuration.changed_by = actor
    configuration.save(update_fields=["changed_at", "scope_changed_at", "changed_by"])


def matching_changed(*, tenant: Tenant, actor: str) -> None:
    """A setting outside this file decides otherwise about who is linked with whom."""
    _scope_changed(_locked(tenant), actor)


def _matching(configuration: Configuration) -> set[tuple[Any, ...]]:
    rows = configuration.mappings.exclude(matching=None)
    return set(rows.values_list("object_type", "target", "matching", "kind", "source", "default"))


def _next_position(configuration: Configuration, object_type: str) -> int:
    last = configuration.mappings.filter(object_type=object_type).order_by("-position").first()
    return last.position + 1 if last else 1


def _fill(row: AttributeMapping, rule: mapping.Mapping, *, from_template: bool) -> None:
    for name in FIELDS:
        setattr(row, name, getattr(rule, name))
    row.from_template = from_template


def _facts(rule: mapping.Mapping) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in FIELDS}


def facts_key(rule: mapping.Mapping) -> tuple[Any, ...]:
    """What makes two rows the same rule: everything but their place in the table."""
    return tuple(_facts(rule).values())


def template(object_type: str) -> tuple[mapping.Mapping, ...]:
    return mapping.DEFAULT_USER_MAPPINGS if object_type == "user" else mapping.DEFAULT_GROUP_MAPPINGS


def _sources(configuration: Configuration, object_type: str) -> dict[str, Any]:
    rows = configuration.mappings.filter(object_type=object_type)
    return dict(rows.values_list("target", "source"))
