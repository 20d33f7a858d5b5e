"""Third act: scope, readiness, match and plan as steps of the page."""

from sync.configuration.ruleset import redacted_units
from sync.models import Link, Operation, Result
from sync.on_demand.asked import Asked
from sync.on_demand.deciding import Decision
from sync.on_demand.steps import shown
from sync.on_demand.writing import read_back
from sync.rules import acceptance
from sync.rules.matching import Verdict

REFUSED = (Result.FAILED, Result.SKIPPED)
# The mapping itself gave no values.
UNMAPPED = ("expression-error", "ignored-by-rule")


def explain(asked: Asked, decision: Decision) -> bool:
    """Tells scope, readiness, match and plan; whether something is to be written."""
    if decision.in_scope:
        asked.steps.done("scope", **decision.scope)
    else:
        asked.steps.failed("scope", "", **decision.scope)
    refusal = next((row for row in decision.operations if row.result in REFUSED and row.problem), None)
    _explain_ready(asked, decision, refusal)
    if not asked.row.result:
        _explain_match(asked, decision, refusal)
    if asked.row.result:
        return False
    if refusal is not None:
        asked.steps.failed("plan", refusal.problem, attribute=refusal.attribute, error=refusal.error)
        _refused(asked, refusal)
        return False
    todo = [row for row in decision.operations if row.result in (Result.PLANNED, Result.HELD)]
    asked.steps.done("plan", operations=[shown(row) for row in todo])
    if not todo:
        asked.steps.skipped("write", why="nothing")
        # What is read back is noted, and the draft leaves no trace.
        if decision.in_scope and decision.link and decision.link.scim_id and not asked.drafted:
            read_back(asked)
        asked.steps.end("no_change" if decision.in_scope else Result.SKIPPED)
        return False
    if asked.dry_run:
        asked.steps.skipped("write", "read_back", why="dry-run")
        held = all(row.result == Result.HELD for row in todo)
        asked.steps.end(Result.HELD if held else Result.PLANNED)
        return False
    return True


def _explain_ready(asked: Asked, decision: Decision, refusal: Operation | None) -> None:
    if not decision.in_scope:
        asked.steps.skipped("ready")
        return
    hidden = redacted_units(asked.tenant)[asked.row.object_type]
    findings = [
        {
            "code": one.code,
            "attribute": one.attribute,
            "certain": one.certain,
            "value": acceptance.shown(one, hidden),
        }
        for one in decision.findings
    ]
    if refusal is not None and (refusal.problem in acceptance.BY_CODE or refusal.problem in UNMAPPED):
        asked.steps.failed(
            "ready", refusal.problem, attribute=refusal.attribute, error=refusal.error, findings=findings
        )
        _refused(asked, refusal, "match", "plan")
    else:
        asked.steps.done("ready", findings=findings)


def _explain_match(asked: Asked, decision: Decision, refusal: Operation | None) -> None:
    link = decision.link
    linking = next((row for row in decision.operations if row.action == "link"), None)
    if refusal is not None and refusal.problem in set(Verdict):
        asked.steps.failed("match", refusal.problem, **_match_of(link))
        _refused(asked, refusal, "plan")
    elif linking is not None:
        asked.steps.done("match", how="matched", **_match_of(link))
    elif link is not None and link.scim_id:
        asked.steps.done("match", how="linked", scim_id=link.scim_id, origin=link.origin)
    elif decision.in_scope:
        asked.steps.done("match", how="unmatched")
    else:
        asked.steps.skipped("match", how="not-in-aws")


def _refused(asked: Asked, refusal: Operation, *steps: str) -> None:
    asked.steps.skipped(*steps, "write", "read_back", why="refused")
    asked.steps.end(refusal.result)


def _match_of(link: Link | None) -> dict[str, str]:
    if link is None:
        return {}
    return {"attribute": link.match_attribute, "name": link.match_name, "scim_id": link.match_scim_id}
