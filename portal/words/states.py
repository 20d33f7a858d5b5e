"""Every state that pages show: its word, its family of colours and its shape."""

from collections import Counter
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.models import Delivery, Result, Run, Word
from sync.problems.languages import within
from sync.runs import phases

Words = str | Promise
# Family of colours, and shape.
Look = tuple[str, str]
GOOD: Look = ("good", "circle-check")
IDLE: Look = ("neutral", "minus")
NOT_YET: Look = ("neutral", "clock")
NOT_STARTED: Look = ("neutral", "circle-dashed")
RUNNING: Look = ("running", "progress")
HELD: Look = ("held", "hand-stop")
ATTENTION: Look = ("attention", "alert-triangle")
BAD: Look = ("bad", "square-x")

# By kind and value. What a model or a phase has words for is not repeated here.
WORDS: Mapping[str, Mapping[str, Words]] = {
    "run": {**dict(Run.State.choices), "did_not_start": _("Did not start")},
    "result": {**dict(Result.choices), "no_change": _("No change")},
    "phase": {str(state): word for state, word in phases.STATES.items()},
    "provisioning": {
        "on": _("On"),
        "off": _("Off"),
        "paused": _("Paused"),
        "not_set_up": _("Not set up"),
        "waiting_for_approval": _("Waiting for approval"),
        "quarantined": _("Quarantined"),
    },
    "lateness": {"overdue": _("Overdue")},
    "half": {
        "not_tested": _("Not tested"),
        "working": _("Working"),
        "ends_soon": _("Ends soon"),
        "failing": _("Failing"),
        "ended": _("Ended"),
    },
    "check": {
        "waiting": _("Waiting"),
        "checking": _("Checking"),
        "passed": _("Passed"),
        "warning": _("Warning"),
        "failed": _("Failed"),
        "skipped": _("Skipped"),
    },
    "account": {
        "off": _("Deactivated"),
    },
    "subscription": {"active": _("Working"), "made": _("Being made"), "failing": _("Failing")},
    "delivery": dict(Delivery.State.choices),
    "incident": {
        "open": _("Open"),
        "acknowledged": _("Acknowledged"),
        "snoozed": _("Snoozed"),
        "solved": _("Solved"),
    },
    "channel": {
        "not_used": _("Not used yet"),
        "working": _("Working"),
        "failing": _("Failing"),
        "off": _("Off"),
    },
    "factor": {
        "on": _("On"),
        "off": _("Not set up"),
    },
    "imported": {
        "taken": _("Taken over"),
        "changed": _("With a change"),
        "left_out": _("Left out"),
    },
    "standing": dict(Word.choices),
    "task": {
        "not_started": _("Not started"),
        "in_progress": _("In progress"),
        "done": _("Done"),
        "blocked": _("Cannot start yet"),
    },
}
LOOKS: Mapping[str, Mapping[str, Look]] = {
    "run": {
        "queued": NOT_YET,
        "running": RUNNING,
        "cancelling": RUNNING,
        "waiting_for_approval": HELD,
        "completed": GOOD,
        "completed_with_errors": ATTENTION,
        "completed_with_differences": ATTENTION,
        "failed": BAD,
        "cancelled": IDLE,
        "did_not_start": BAD,
    },
    "result": {
        **dict.fromkeys(("created", "updated", "disabled", "deleted", "enabled", "linked", "added", "removed"), GOOD),
        "planned": NOT_YET,
        "sent": RUNNING,
        "no_change": IDLE,
        "skipped": IDLE,
        "held": HELD,
        "will_retry": ATTENTION,
        "failed": BAD,
    },
    "phase": {
        "waiting": NOT_STARTED,
        "running": RUNNING,
        "done": GOOD,
        "not_needed": IDLE,
        "stopped": BAD,
    },
    "provisioning": {
        "on": GOOD,
        "off": IDLE,
        "paused": ("attention", "clock"),
        "not_set_up": IDLE,
        "waiting_for_approval": HELD,
        "quarantined": HELD,
    },
    "lateness": {"overdue": BAD},
    "half": {
        "not_tested": IDLE,
        "working": GOOD,
        "ends_soon": ATTENTION,
        "failing": BAD,
        "ended": BAD,
    },
    "check": {
        "waiting": NOT_YET,
        "checking": RUNNING,
        "passed": GOOD,
        "warning": ATTENTION,
        "failed": BAD,
        "skipped": IDLE,
    },
    "account": {
        "off": IDLE,
    },
    "subscription": {"active": GOOD, "made": NOT_YET, "failing": ATTENTION},
    "delivery": {"waiting": NOT_YET, "sending": RUNNING, "sent": GOOD, "failed": BAD},
    "incident": {"open": BAD, "acknowledged": ("neutral", "eye"), "snoozed": NOT_YET, "solved": GOOD},
    "channel": {"not_used": NOT_STARTED, "working": GOOD, "failing": BAD, "off": IDLE},
    "factor": {
        "on": GOOD,
        "off": IDLE,
    },
    "imported": {
        "taken": GOOD,
        "changed": ("running", "edit"),
        "left_out": ATTENTION,
    },
    "standing": {
        "only_in_aws": ATTENTION,
        "held": HELD,
        "gone": BAD,
        "conflict": BAD,
        "not_ready": BAD,
        "failed": BAD,
        "differs": ATTENTION,
        "waiting": NOT_YET,
        "disabled": IDLE,
        "not_in_scope": IDLE,
        "in_aws": GOOD,
    },
    "task": {
        "not_started": NOT_STARTED,
        "in_progress": RUNNING,
        "done": GOOD,
        "blocked": ("neutral", "lock"),
    },
}


def counted(kind: str, states: Counter[str]) -> str:
    """41 completed, 5 completed with errors."""
    text, order = gettext("%(n)s %(state)s"), list(LOOKS[kind])
    found = sorted(states.items(), key=lambda one: (-one[1], order.index(one[0])))
    return ", ".join(text % {"n": n, "state": within(str(WORDS[kind][state]))} for state, n in found)
