"""What stands on every page: the zone of its times, with how far it is from UTC."""

import zoneinfo

import pytest
from django.utils import timezone

from portal.frame.context import offset_now


@pytest.mark.parametrize(
    ("zone", "offset"), [("UTC", "UTC"), ("Asia/Kolkata", "UTC+5:30"), ("America/Phoenix", "UTC-7"), ("Asia/Tokyo", "UTC+9")]
)  # fmt: skip
def test_a_zone_is_named_by_its_distance_from_utc(zone: str, offset: str) -> None:
    with timezone.override(zoneinfo.ZoneInfo(zone)):
        assert offset_now() == offset
