"""What edits of every noun share: refusals, conflicts, what a form showed."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from sync.configuration.current import configuration_of
from sync.configuration.items import (
    FILTER_FIELDS,
    MAPPING_FIELDS,
    facts_of,
)
from sync.models import (
    AttributeMapping,
    Configuration,
    ScopingFilter,
    Tenant,
)
from sync.rules import messages
from sync.rules.rows import MappingProblem, MappingRow


class Refused(Exception):
    """A mapping that must not be saved, or removed; `problems` says why, by field of the row."""

    def __init__(self, problems: Sequence[MappingProblem]) -> None:
        super().__init__("; ".join(problem.sentence for problem in problems))
        self.problems = problems


class EditConflict(Exception):
    """Somebody else changed the same thing meanwhile. `now`: as it stands; None: it is gone."""

    def __init__(self, now: AttributeMapping | ScopingFilter | None) -> None:
        super().__init__("changed meanwhile")
        self.now = now


# What the form of a tenant's settings shows.
TENANT_FIELDS = ("name", "time_zone")


def revision(row: AttributeMapping | ScopingFilter | Tenant | None) -> str:
    """What a form showed, in short; "" for something new."""
    if row is None:
        return ""
    fields = {AttributeMapping: MAPPING_FIELDS, ScopingFilter: FILTER_FIELDS, Tenant: TENANT_FIELDS}
    names = fields[type(row)]
    facts = json.dumps(facts_of(row, names), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def problem_sentence(problem: MappingProblem) -> str:
    """What is wrong, in the reader's language; an expression's own message is translated first."""
    params = dict(problem.params)
    if problem.cause is not None:
        params["message"] = _(problem.cause.template) % problem.cause.params
    return _(messages.MESSAGES[problem.code]) % params


def matching_changed(*, tenant: Tenant, actor: str) -> None:
    """A setting outside the configuration decides otherwise about who is linked with whom: the next run asks first."""
    configuration = configuration_of(tenant)
    now = timezone.now()
    Configuration.objects.filter(pk=configuration.pk).update(changed_at=now, scope_changed_at=now, changed_by=actor)


def mapping_facts(rule: MappingRow) -> dict[str, Any]:
    return facts_of(rule, MAPPING_FIELDS)


def facts_key(rule: MappingRow) -> tuple[Any, ...]:
    """What makes two rows the same rule: everything but their place in the table."""
    return tuple(mapping_facts(rule).values())
