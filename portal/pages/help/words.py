"""What the words of the pages mean: states by the kinds of portal/words/states.py, and what things are called."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.words.states import WORDS
from sync.models import Action, Run

Words = str | Promise


@dataclass(frozen=True, slots=True)
class WordGroup:
    """`kind`: its address on the page."""

    kind: str
    title: Words
    words: Sequence[tuple[Words, Words]]


# Ours, what it is, and what Entra calls it where that is another word.
THINGS: Sequence[tuple[Words, Words]] = (
    (_("Tenant"), _("One Entra directory and one AWS IAM Identity Center that are kept in step.")),
    (_("Mapping"), _("From which attribute of Entra a field of AWS gets its value.")),
    (_("Scoping filter"), _("A rule about attributes: whoever passes none of them stays out of AWS.")),
    (_("Assignment"), _("A person or group whom you chose; a group brings its members.")),
    (_("Draft"), _("Edits of mappings, filters and assignments that no run uses yet.")),
    (_("Version"), _("A published configuration. It never changes, and can be restored.")),
    (_("Impact preview"), _("What the draft would do to today's directory, by name.")),
    (_("Run"), _("One pass from Entra to AWS. Entra calls it a cycle.")),
    (_("Operation"), _("One thing done, or not done, to one person, group or membership: a line of the logs.")),
    (_("Link"), _("Which object of AWS belongs to which object of Entra.")),
    (_("Match"), _("How a link is found: by a field that both sides hold, such as the user name.")),
    (_("Limit"), _("How many people a run may remove by itself; more are held.")),
    (_("Standing"), _("How one person or group stands, in one word. It does not depend on the last run.")),
    (_("Comparison"), _("AWS is read and compared with what was written: it finds what was changed there by hand.")),
    (_("Readiness"), _("Whether AWS would take a person, asked before anything is sent.")),
    (_("Quarantine"), _("Runs pause because every one would fail; a try now and then ends it by itself.")),
    (_("Incident"), _("A problem with a beginning and an end: one message when it opens, one when it is over.")),
    (_("Channel"), _("Where notifications go: an e-mail address, a webhook, Slack or Teams, and what it hears of.")),
    (_("Never-touch list"), _("Names of users and groups in AWS that nothing is ever written to.")),
)

KINDS: Mapping[str, tuple[Words, Mapping[str, Words]]] = {
    "standing": (
        _("Standing of a person or group"),
        {
            "only_in_aws": _("AWS holds it, and nobody in Entra claims it."),
            "held": _("A change of it waits for a person to decide."),
            "gone": _("AWS held it and does not any more: somebody deleted it there."),
            "conflict": _("Another person or group stands in the way, such as by having the same user name."),
            "not_ready": _("AWS's rules would refuse it, so nothing was sent."),
            "failed": _("AWS refused it, or its answer is not known; it is tried again."),
            "differs": _("AWS holds other values than were written: somebody changed them there."),
            "waiting": _("Decided, and not yet written."),
            "disabled": _("Out of scope: AWS keeps the account, and nobody can use it."),
            "not_in_scope": _("Not to be in AWS, and not there through us."),
            "in_aws": _("Written, and nothing is wrong."),
        },
    ),
    "provisioning": (
        _("Provisioning"),
        {
            "on": _("Runs start by themselves."),
            "off": _("No run starts; AWS stays as it is."),
            "paused": _("Off until a time that somebody chose; then it is on again by itself."),
            "not_set_up": _("Something that a run needs has not been entered yet."),
            "waiting_for_approval": _("Something is held until a person decides; everything else goes on."),
            "quarantined": _("Runs pause because every one would fail. A try now and then ends it."),
        },
    ),
    "run": (
        _("State of a run"),
        {
            "queued": _("It waits for a worker."),
            "running": _("It is under way."),
            "cancelling": _("Somebody cancelled it; what is being written is finished."),
            "waiting_for_approval": _("Its plan, or a part of it, waits for a person."),
            "completed": _("Everything that it planned is done."),
            "completed_with_errors": _("It did its job, and some people or groups failed."),
            "completed_with_differences": _("It did its job, and AWS holds something else than was written."),
            "failed": _("It could not do its job at all."),
            "cancelled": _("Somebody ended it. What was written stays."),
            "did_not_start": _("It was due, and nobody began it: the history says why."),
        },
    ),
    "phase": (
        _("Phase of a run"),
        {
            "waiting": _("Its turn has not come."),
            "running": _("It is under way."),
            "done": _("It is finished."),
            "not_needed": _("There was nothing for it to do."),
            "stopped": _("The run ended in it."),
        },
    ),
    "result": (
        _("Result of an operation"),
        {
            "planned": _("It is in the plan, and its turn has not come."),
            "sent": _("AWS was asked, and has not answered yet."),
            "created": _("AWS made it."),
            "updated": _("AWS took the new values."),
            "disabled": _("The account in AWS cannot be used any more."),
            "enabled": _("The account in AWS can be used again."),
            "deleted": _("AWS holds it no more."),
            "linked": _("It was found in AWS, and nothing was made anew."),
            "added": _("The person is a member in AWS."),
            "removed": _("The person is no member in AWS any more."),
            "no_change": _("AWS already had it so; nothing was sent."),
            "skipped": _("Nothing was sent; the reason stands beside it."),
            "held": _("It waits for a person to decide."),
            "will_retry": _("It did not work, and is tried again by itself."),
            "failed": _("AWS refused it."),
        },
    ),
    "incident": (
        _("Incident"),
        {
            "open": _("Nobody looks at it yet: the bell counts it."),
            "acknowledged": _("Somebody looks at it."),
            "snoozed": _("Somebody put it off; until then the bell does not count it."),
            "solved": _("It is over."),
        },
    ),
    "channel": (
        _("Channel of notifications"),
        {
            "not_used": _("Nothing was sent to it yet: send a test."),
            "working": _("It took the last message."),
            "failing": _("It did not take the last message, which is tried again for two days."),
            "off": _("Nothing new is sent to it."),
        },
    ),
    "delivery": (
        _("Delivery of a notification"),
        {
            "waiting": _("It goes out, or is tried again, at the time beside it."),
            "sending": _("A worker sends it just now."),
            "sent": _("The other side took it."),
            "failed": _("It was given up: after two days, or since its channel was removed."),
        },
    ),
    "half": (
        _("Connection"),
        {
            "not_tested": _("Nobody has tested it since it was entered."),
            "working": _("The last test, or the last run, got through."),
            "ends_soon": _("Its credential ends within 90 days."),
            "failing": _("The last test, or the last run, did not get through."),
            "ended": _("The end date of its credential is past."),
        },
    ),
    "check": (
        _("Check of a connection"),
        {
            "waiting": _("Its turn has not come."),
            "checking": _("It is under way."),
            "passed": _("All is as it should be."),
            "warning": _("It works; something deserves a look."),
            "failed": _("It does not work; what to do stands beside it."),
            "skipped": _("A check before it failed, so this one would say nothing."),
        },
    ),
}

RUN_KINDS: Mapping[str, Words] = {
    Run.Kind.FULL: _("Reads everybody, decides anew, and compares AWS. Entra calls it an initial cycle."),
    Run.Kind.CHANGES: _("Reads what changed since the last run. Entra calls it an incremental cycle."),
    Run.Kind.PREVIEW: _("Plans and writes nothing."),
    Run.Kind.ON_DEMAND: _("Some people, or one group, now and step by step. Entra calls it provision on demand."),
    Run.Kind.VERIFY: _("Reads AWS and compares; writes nothing."),
}
ACTIONS: Mapping[str, Words] = {
    Action.CREATE: _("AWS is to hold a person or group that it does not hold yet."),
    Action.UPDATE: _("Values in AWS are to change."),
    Action.DISABLE: _("The account is to be unusable; the AWS id and what hangs on it stay."),
    Action.ENABLE: _("A disabled account is to be usable again."),
    Action.DELETE: _("AWS is to forget it, with everything that hangs on its id."),
    Action.LINK: _("What AWS holds already is to be taken for what Entra holds."),
    Action.ADD_MEMBER: _("A person is to become a member of a group."),
    Action.REMOVE_MEMBER: _("A person is to be a member of a group no longer."),
}


def word_groups() -> list[WordGroup]:
    return [WordGroup("things", _("Things"), THINGS), *_states(), *_of_runs()]


def _states() -> Iterator[WordGroup]:
    for kind, (title, meanings) in KINDS.items():
        yield WordGroup(kind, title, [(WORDS[kind][value], meaning) for value, meaning in meanings.items()])


def _of_runs() -> Iterator[WordGroup]:
    yield WordGroup("kind", _("Kind of a run"), [(Run.Kind(kind).label, text) for kind, text in RUN_KINDS.items()])
    yield WordGroup("action", _("Action"), [(Action(action).label, text) for action, text in ACTIONS.items()])
