"""What people did, in words: a verb of the audit log each. tests/portal/pages/audit holds it against the source."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from sync.models import AuditEntry

ACTIONS = {
    "assignment.add": _("Assigned"),
    "assignment.change": _("Changed assignment"),
    "assignment.remove": _("Unassigned"),
    "audit.check": _("Checked the audit log"),
    "audit.export": _("Exported the audit log"),
    "channel.add": _("Added a channel of notifications"),
    "channel.change": _("Changed a channel of notifications"),
    "channel.remove": _("Removed a channel of notifications"),
    "channel.test": _("Sent a test notification"),
    "configuration.export": _("Exported the configuration"),
    "connection.aws.save": _("Saved the AWS connection"),
    "connection.entra.save": _("Saved the Entra connection"),
    "connection.test": _("Tested the connection"),
    "credential.enter": _("Entered a second credential"),
    "credential.remove": _("Removed a second credential"),
    "credential.switch": _("Switched credentials"),
    "credentials.export": _("Exported the ends of credentials"),
    "demand.request": _("Asked on demand"),
    "directory.accept_shrinkage": _("Accepted a smaller directory"),
    "draft.discard": _("Discarded the draft"),
    "draft.undo": _("Undid a change of the draft"),
    "drift.leave_alone": _("Left alone in AWS"),
    "drift.leave_difference": _("Left a difference as AWS has it"),
    "drift.left_is_over": _("AWS holds something else than was left"),
    "drift.repair": _("Asked for a repair in AWS"),
    "drift.stop_leaving_difference": _("Took back leaving a difference"),
    "drift.stop_leaving_alone": _("Took back leaving alone"),
    "filter.add": _("Added a filter"),
    "filter.change": _("Changed a filter"),
    "filter.remove": _("Removed a filter"),
    "filter.replace": _("Replaced a filter"),
    "hold.decide": _("Decided on held changes"),
    "hold.export": _("Exported what is held"),
    "hold.undo_keep": _("Took a keep back"),
    "impact.export": _("Exported a preview"),
    "incident.acknowledge": _("Acknowledged an incident"),
    "incident.snooze": _("Snoozed an incident"),
    "key.forget": _("Gave up a key"),
    "key.rotate": _("Sealed with the first key"),
    "link.adopt": _("Linked"),
    "link.cut": _("Cut a link"),
    "link.match_again": _("Had somebody matched again"),
    "logs.export": _("Exported the logs"),
    "mapping.add": _("Added a mapping"),
    "mapping.change": _("Changed a mapping"),
    "mapping.order": _("Changed the order of mappings"),
    "mapping.recommended": _("Applied the recommended mappings"),
    "mapping.remove": _("Removed a mapping"),
    "mapping.replace": _("Replaced a mapping"),
    "mapping.reset": _("Reset the mappings"),
    "person.look_up": _("Looked up a person"),
    "plan.confirm": _("Confirmed a plan"),
    "problem.retry": _("Asked to retry a problem"),
    "provisioning.save": _("Changed the provisioning"),
    "installation.backup": _("Made a backup"),
    "installation.restore": _("Restored a backup"),
    "provisioning.pause": _("Paused provisioning"),
    "provisioning.pause_over": _("Resumed provisioning at the end of its pause"),
    "provisioning.resume": _("Resumed provisioning"),
    "provisioning.stay_off": _("Left provisioning off at the end of its pause"),
    "provisioning.turn_off": _("Turned provisioning off"),
    "provisioning.turn_on": _("Turned provisioning on"),
    "readiness.check": _("Asked for a readiness check"),
    "readiness.export": _("Exported who is not ready"),
    "request.refuse": _("Was refused"),
    "run.cancel": _("Cancelled a run"),
    "run.request": _("Started a run"),
    "runs.export": _("Exported the sync history"),
    "safety.save": _("Changed limits and leavers"),
    "scope.change": _("Changed the scope"),
    "second_person.approve": _("Approved as second person"),
    "second_person.ask": _("Asked for a second person"),
    "second_person.delay_over": _("Carried out after the delay"),
    "second_person.refuse": _("Refused as second person"),
    "second_person.stale": _("Ended a request that was no longer possible"),
    "second_person.withdraw": _("Withdrew a request"),
    "sign_in": _("Signed in"),
    "sign_in.again": _("Confirmed who it is"),
    "sign_in.fail": _("Failed to sign in"),
    "sign_in.lock": _("Tried too often to sign in"),
    "sign_out": _("Signed out"),
    "tenant.change": _("Changed the tenant"),
    "tenant.create": _("Made the tenant"),
    "tenant.delete": _("Deleted the tenant"),
    "token.act": _("Acted by an API token"),
    "token.make": _("Made an API token"),
    "token.revoke": _("Revoked an API token"),
    "user.activate": _("Activated an account"),
    "user.add": _("Added an account"),
    "user.choose_password": _("Chose a password"),
    "user.connect_microsoft": _("Connected a Microsoft account"),
    "user.deactivate": _("Deactivated an account"),
    "user.end_sessions": _("Ended sessions"),
    "user.first_owner": _("Became the first Owner"),
    "user.give_role": _("Gave a role"),
    "user.remove": _("Removed an account"),
    "user.reset_password": _("Reset a password"),
    "user.reset_second_factor": _("Reset a second factor"),
    "user.save_own": _("Changed own settings"),
    "user.second_factor_add": _("Added a second factor"),
    "user.second_factor_remove": _("Removed a second factor"),
    "user.second_factor_renew": _("Renewed recovery codes"),
    "user.show_codes": _("Saw recovery codes"),
    "user.take_role": _("Took a role"),
    "version.publish": _("Published a version"),
    "version.restore": _("Restored a version"),
}
# What somebody should look at.
REFUSED = ("request.refuse", "sign_in.fail", "sign_in.lock")


def action_words(verb: str) -> str:
    return str(ACTIONS.get(verb, verb))


def changes_of(entry: AuditEntry) -> Iterator[tuple[str, Any, Any]]:
    """Name, before, after; None for what was not there."""
    before, after = entry.before or {}, entry.after or {}
    for name in {**before, **after}:
        yield name, before.get(name), after.get(name)


def in_short(entry: AuditEntry) -> str:
    """`15, now 10; …` for a row of the table."""
    parts = [_short(*change) for change in changes_of(entry)]
    return "; ".join(parts[:2]) + (" …" if len(parts) > 2 else "")


def _short(name: str, before: Any, after: Any) -> str:
    if before is None or after is None:
        return f"{name} {value_words(before if after is None else after)}"
    return str(_("%(name)s %(before)s, now %(after)s")) % {
        "name": name,
        "before": value_words(before),
        "after": value_words(after),
    }


def value_words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value_words(one) for one in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {value_words(one)}" for name, one in value.items()) or "–"
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    return "–" if value in (None, "") else str(value)
