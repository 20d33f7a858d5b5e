"""People by how they stand: found by name, address or id."""

from django.db.models import QuerySet

from sync.db.keys import listed
from sync.models import Link, ObjectType, Standing, Tenant, Word
from sync.people.facts import Blocked, Membership, PersonFacts, facts_of
from sync.people.groups import GroupMembers, group_verdict, members_of_group
from sync.people.past import Past, as_of
from sync.people.search import SHORTEST, beginning, within_names
from sync.people.search import search as search_everybody
from sync.people.values import UNREADABLE, Value, changed_by, read_in_aws, values_of
from sync.people.verdict import Answer, Question, Verdict, blocker_of, questions, verdict_of
from sync.standings import queries as standings

__all__ = [
    "SHORTEST",
    "UNREADABLE",
    "Answer",
    "Blocked",
    "GroupMembers",
    "Membership",
    "Past",
    "PersonFacts",
    "Question",
    "Value",
    "Verdict",
    "as_of",
    "blocker_of",
    "changed_by",
    "facts_of",
    "find",
    "group_verdict",
    "holder_of",
    "members_of_group",
    "questions",
    "read_in_aws",
    "search_everybody",
    "values_of",
    "verdict_of",
]


def find(
    tenant: Tenant,
    text: str = "",
    *,
    kind: str = ObjectType.USER,
    word: Word | None = None,
    code: str | None = None,
    attribute: str | None = None,
    dropped_at: str = "",
) -> QuerySet[Standing]:
    """By name. `text`: how a name, a user name, an address or an id of either side begins; where it begins nothing, a part of
    a name. `dropped_at`: a step of the path of data."""
    chosen = {"word": word, "code": code, "attribute": attribute}
    conditions = {name: value for name, value in chosen.items() if value is not None}
    rows = standings.dropped_at(tenant, dropped_at, kind) if dropped_at else standings.standings(tenant, kind)
    rows = rows.filter(**conditions)
    text = " ".join(text.split())
    if not text:
        return rows
    # Looked for once: counting them and a page of them go by their keys.
    keys = [row["pk"] for row in beginning(tenant, kind, text)]
    if keys:
        return rows.filter(pk__in=listed(keys))
    return rows.filter(pk__in=within_names([tenant.pk], kind, text).values("pk"))


def holder_of(standing: Standing) -> str:
    """The Entra id of who stands in the way; "" where AWS alone holds it."""
    if not standing.holder_id:
        return ""
    linked = Link.objects.filter(tenant=standing.tenant, object_type=standing.kind, scim_id=standing.holder_id)
    ids = [standing.holder_id, *linked.values_list("object_id", flat=True)]
    found = standings.of_objects(standing.tenant, standing.kind, ids).first()
    return found.object_id if found else ""
