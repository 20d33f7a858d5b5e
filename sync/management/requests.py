"""What waits for a second person, as commands say it."""

from sync.management.base import Report
from sync.models import ChangeRequest


def request_facts(request: ChangeRequest) -> Report:
    """`due_at`: when it is carried out without an approval; None: a person has to approve it, on the page Approvals."""
    return {
        "kind": request.kind,
        "title": request.get_kind_display(),
        "asked_by": request.asked_by,
        "asked_at": request.asked_at.isoformat(),
        "due_at": request.due_at.isoformat() if request.due_at else None,
        "facts": request.facts,
    }


def request_in_words(report: Report) -> str:
    waits = f"{report['title']}, asked for by {report['asked_by']}: waits for another person, under Approvals"
    return (
        f"{waits}; nobody could approve it, so it is carried out at {report['due_at']}."
        if report["due_at"]
        else f"{waits}."
    )
