"""How many examples Hypothesis makes: the same few for every change, many new ones with `--hypothesis-profile=nightly`."""

from typing import Any

import pytest
from _pytest.mark import ParameterSet
from hypothesis import HealthCheck, settings

QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("ci", max_examples=50, derandomize=True, deadline=None, suppress_health_check=QUIET)
settings.register_profile("nightly", max_examples=500, deadline=None, suppress_health_check=QUIET)
settings.load_profile("ci")


def by_night() -> bool:
    """Whether everything is gone through that a change has an example of."""
    return settings().max_examples == settings.get_profile("nightly").max_examples


def nightly(*cases: Any) -> list[ParameterSet]:
    """Parameters of which a change has others like them."""
    marks = pytest.mark.nightly
    return [pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=marks) for case in cases]


def share(part: float) -> int:
    """Of the profile's number: less than 1 where an example costs more than a moment."""
    return max(1, round(settings().max_examples * part))
