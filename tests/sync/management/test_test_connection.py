"""test_connection: how a test ends for a script."""

import datetime
import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sync.models import AwsConnection, Tenant
from tests.world.lab import Lab

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(3, groups=1, memberships=2)]


def says(tenant: Tenant) -> str:
    out = io.StringIO()
    call_command("test_connection", tenant.slug, "--half", "aws", stdout=out)
    return out.getvalue()


def ends_in(days: int) -> None:
    created = timezone.now().date() - datetime.timedelta(days=365 - days)
    AwsConnection.objects.update(token_created_on=created)


def test_until_two_weeks_before_its_end_a_token_is_a_warning_and_no_failure(wired: Tenant, lab: Lab) -> None:
    for days in (90, 15):
        ends_in(days)
        assert f"The token ends in {days} days" in says(wired)
    ends_in(14)
    with pytest.raises(CommandError, match="The connection test failed"):
        says(wired)


def test_a_token_that_aws_refuses_is_a_failure(wired: Tenant, lab: Lab) -> None:
    lab.call("POST", "faults", {"part": "aws", "kind": "status", "status": 401, "times": -1})
    with pytest.raises(CommandError, match="The connection test failed") as failed:
        says(wired)
    assert failed.value.returncode == 1
