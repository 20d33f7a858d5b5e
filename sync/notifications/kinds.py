"""The kinds of incidents: what channels choose from. Forms, documents and tests go by this table."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync.models import Word
from sync.runs.quarantine import REASONS

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Kind:
    """`codes` and `words` (of standings): what is of this kind; of several kinds the first one that names it."""

    name: str
    label: Words
    meaning: Words
    codes: Sequence[str] = ()
    words: Sequence[Word] = ()


OTHER, OF_RUNS = "new-problem", "failed-run"
KINDS = (
    Kind(
        "quarantine",
        _("Provisioning is quarantined"),
        _("A sync failed for a reason that would stop the next one too, so that syncs pause."),
        codes=tuple(REASONS),
    ),
    Kind("failed-run", _("A sync fails"), _("A sync stopped before its end for another reason.")),
    Kind(
        "held",
        _("Something waits for approval"),
        _("Removals or other changes over a limit are held, or a plan waits to be confirmed."),
        codes=("not-confirmed",),
        words=(Word.HELD,),
    ),
    Kind(
        "unusual-numbers",
        _("Unusual numbers"),
        _("Entra or AWS returned far fewer people, groups or assignments than before: nobody was removed."),
        codes=("source-shrunk", "source-empty", "app-assignments-shrunk", "aws-many-gone", "aws-list-incomplete"),
    ),
    Kind(
        "missed-runs",
        _("No sync finishes"),
        _("Provisioning is on, and no sync has come to an end for three intervals."),
        codes=("no-finished-run",),
    ),
    Kind(
        "lateness",
        _("A sync is late, or nobody works"),
        _("What should have started minutes ago has not, or no worker is running."),
        codes=("nobody-works", "overdue", "stayed-off"),
    ),
    Kind(
        "credential-ends",
        _("A credential ends"),
        _("In 90, 60, 30, 14, 7 and 1 days, and when it has ended."),
        codes=("credential-ends", "token-ends"),
    ),
    Kind(
        "not-ready",
        _("People or groups are not ready"),
        _("AWS would refuse them as they are in Entra, so they are not sent."),
        words=(Word.NOT_READY,),
    ),
    Kind(
        "gone-from-aws",
        _("Gone from AWS"),
        _("Somebody deleted people or groups in AWS that Lockstep made."),
        words=(Word.GONE,),
    ),
    Kind(
        "new-problem",
        _("Another problem of people or groups"),
        _("Conflicts, what AWS refused, differences in AWS, and what only AWS holds."),
    ),
)
NAMES = tuple(kind.name for kind in KINDS)
BY_NAME = {kind.name: kind for kind in KINDS}


def kind_of(code: str, word: Word | None = None, *, of_run: bool = False) -> str:
    """The name. `word`: how those stand who have it; None when it is about nobody in particular."""
    named = (kind.name for kind in KINDS if code in kind.codes or (word is not None and word in kind.words))
    return next(named, OF_RUNS if of_run else OTHER)
