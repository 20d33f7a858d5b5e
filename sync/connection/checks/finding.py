"""What one check found."""

from dataclasses import dataclass, field

Fact = str | int | float


@dataclass(frozen=True)
class CheckFinding:
    """No `code`: passed. `facts` fill the sentences of outcomes.OUTCOMES and the note by the label.

    `request` and `answer` are shown as they are: they never hold a secret."""

    code: str = ""
    facts: dict[str, Fact] = field(default_factory=dict)
    request: str = ""
    status: int | None = None
    answer: str = ""
