"""The named steps of a run, as they are passed. Whoever listens hears them; chaos tests kill the process there.

One name per boundary between what is safe before and what is safe after (docs/architecture.md, "A run").
"""

from collections.abc import Callable

listeners: list[Callable[[str], None]] = []


def passed(step: str) -> None:
    for listener in listeners:
        listener(step)
