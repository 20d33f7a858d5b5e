"""What one expression may cost. 10,000 characters is Microsoft's limit; the rest keeps runs moving."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ExpressionLimits:
    source: int = 10_000  # characters
    depth: int = 50  # calls inside calls
    nodes: int = 2_000  # calls, attributes and constants
    steps: int = 20_000  # nodes evaluated, plus list values touched
    output: int = 100_000  # characters of any value on the way


LIMITS = ExpressionLimits()
