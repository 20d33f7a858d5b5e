"""What stands in for links while a draft is rehearsed: rows of their own."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from sync.engine.evaluation.clashes import Clashes
from sync.engine.evaluation.group_members import GroupMembers
from sync.engine.evaluation.taken_values import TakenValues, having
from sync.models import Link, Rehearsed, Run


class RehearsedClashes(Clashes):
    """The same over what stands in for the links: the preview of a draft leaves those as they are."""

    def _links(self) -> QuerySet[Any]:
        return Rehearsed.objects.filter(run=self.run, object_type=self.object_type)

    def _note_successor(self, object_id: str, unit: str, holder: Link) -> None:
        """Only a run that writes asks a person for it."""


class RehearsedValues(TakenValues):
    """For a rehearsal: what stands in for a link counts instead of it."""

    def __init__(self, run: Run, object_type: str) -> None:
        super().__init__(run.tenant, object_type)
        self.rehearsed = Rehearsed.objects.filter(run=run, object_type=object_type)
        same = self.rehearsed.filter(object_id=OuterRef("object_id"))
        self.links = self.links.filter(~Exists(same))

    def _others_have(self, object_id: str, column: str, wanted: str) -> bool:
        rehearsed = having(self.rehearsed, column, wanted).exclude(object_id=object_id)
        return rehearsed.exists() or super()._others_have(object_id, column, wanted)


class RehearsedMembers(GroupMembers):
    def _people(self) -> QuerySet[Any]:
        return Rehearsed.objects.filter(run=self.run)
