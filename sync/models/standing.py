"""Standings: how each person and group stands, on either side, in one word. Derived by sync/standings alone."""

from typing import Literal, TypedDict

from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.db.beginnings import beginning_of
from sync.models.link import ObjectType
from sync.models.tenant import Tenant

Family = Literal["good", "neutral", "attention", "held", "bad"]


class Word(models.TextChoices):
    """The first that is true, in this order."""

    ONLY_IN_AWS = "only_in_aws", _("Only in AWS")
    HELD = "held", _("Held")
    GONE = "gone", _("Gone from AWS")
    CONFLICT = "conflict", _("Conflict")
    NOT_READY = "not_ready", _("Not ready")
    FAILED = "failed", _("Failed")
    DIFFERS = "differs", _("Differs in AWS")
    WAITING = "waiting", _("Waiting for next run")
    DISABLED = "disabled", _("Disabled in AWS")
    NOT_IN_SCOPE = "not_in_scope", _("Not in scope")
    IN_AWS = "in_aws", _("In AWS, up to date")


FAMILIES: dict[Word, Family] = {
    Word.ONLY_IN_AWS: "attention",
    Word.HELD: "held",
    Word.GONE: "bad",
    Word.CONFLICT: "bad",
    Word.NOT_READY: "bad",
    Word.FAILED: "bad",
    Word.DIFFERS: "attention",
    Word.WAITING: "neutral",
    Word.DISABLED: "neutral",
    Word.NOT_IN_SCOPE: "neutral",
    Word.IN_AWS: "good",
}
# What nobody mends by waiting, worst first.
PROBLEMS = (Word.GONE, Word.CONFLICT, Word.NOT_READY, Word.FAILED)


class Parameters(TypedDict):
    """What stands in a standing's sentence. Empty where its word has none.

    `quoted`: AWS's own words, or its rule; `request_id`: of AWS's answer; `holder`, `holder_id`: who has the value, by AWS
    id, or by Entra id where AWS does not hold that one.
    """

    quoted: str
    request_id: str
    holder: str
    holder_id: str


# Condition of an index, for whatever looks for an Entra id: those that AWS alone holds have none. As NOT and not as `> ''`,
# which SQLite takes for a range to walk through.
OF_ENTRA = ~models.Q(object_id="")


class Standing(models.Model):
    """One per person and group: by its Entra id, or by its AWS id where nobody of Entra claims it."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="standings")
    kind = models.CharField(max_length=5, choices=ObjectType)
    object_id = models.CharField(max_length=36, blank=True)
    scim_id = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=1024, blank=True)
    in_scope = models.BooleanField(default=False)
    # Code of sync.rules.scope; empty for what only AWS holds.
    scope = models.CharField(max_length=40, blank=True)
    word = models.CharField(max_length=12, choices=Word)
    # Of sync.problems.catalogue; the scope's for who is outside it; what will be done (Action) for who waits.
    code = models.CharField(max_length=40, blank=True)
    attribute = models.CharField(max_length=200, blank=True)
    quoted = models.TextField(blank=True)
    request_id = models.CharField(max_length=100, blank=True)
    holder = models.CharField(max_length=1024, blank=True)
    holder_id = models.CharField(max_length=100, blank=True)
    # Codes of what is worth knowing beside the word, with blanks between them.
    warnings = models.CharField(max_length=200, blank=True)
    # When this word with this code began.
    since = models.DateTimeField()
    # When it is tried again; of somebody disabled who is purged from Entra: when AWS is to delete them.
    next_try = models.DateTimeField(null=True, blank=True)
    # What is searched by its beginning (sync/db/beginnings.py).
    search_name = beginning_of("name")

    class Meta:
        constraints = [
            # Written so that an upsert can name the condition (sync/standings/services.py).
            models.UniqueConstraint(fields=["tenant", "kind", "object_id"], condition=OF_ENTRA, name="one_standing"),
            models.UniqueConstraint(
                fields=["tenant", "kind", "scim_id"], condition=models.Q(object_id=""), name="one_standing_in_aws"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "kind", "word", "name", "id"], name="standing_by_word"),
            # All that numbers go by (sync/standings/queries.py): the table itself is not read.
            models.Index(fields=["tenant", "kind", "in_scope", "scope", "word", "since"], name="standing_numbers"),
            models.Index(
                fields=["tenant", "kind", "search_name"],
                opclasses=["int8_ops", "varchar_ops", "varchar_pattern_ops"],
                name="standing_by_beginning",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def family(self) -> Family:
        return FAMILIES[Word(self.word)]

    @property
    def repairable(self) -> bool:
        """A repair has something to write anew. Whoever lost the AWS id already is made anew without one."""
        return self.word in (Word.GONE, Word.DIFFERS) and bool(self.scim_id)

    @property
    def answered(self) -> bool:
        """Whether AWS itself said what is quoted; otherwise it is AWS's rule, or who holds the value."""
        return self.word == Word.FAILED or bool(self.request_id)

    @property
    def parameters(self) -> Parameters:
        return {
            "quoted": self.quoted,
            "request_id": self.request_id,
            "holder": self.holder,
            "holder_id": self.holder_id,
        }

    @property
    def warning_codes(self) -> list[str]:
        return self.warnings.split()
