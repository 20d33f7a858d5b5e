"""Table C: certificates that nobody vouches for."""

from typing import Any

import pytest

from sync.connection import services
from sync.models import AwsConnection, Run, Tenant
from sync.runs.requests import request_run
from sync.worker import execution
from tests.world.company import hire
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(aws_bad_tls=True)]


@pytest.mark.fault("C22")
@pytest.mark.parametrize("flaw", ["expired", "wrong_host", "self_signed"])
def test_a_certificate_that_is_not_right_ends_before_the_token_is_shown(
    wired: Tenant, lab: Lab, settings: Any, flaw: str
) -> None:
    assign(wired, hire(lab, "Ta Lls"))
    address = lab.facts["bad_tls"][flaw]
    settings.EXTRA_SCIM_HOSTS = {address.split("/")[2]: {"dialect": "aws", "ca_file": lab.facts["ca_file"]}}
    token_made = AwsConnection.objects.get(tenant=wired).token_created_on
    services.save_aws(
        tenant=wired, actor=ACTOR, endpoint=address, token=lab.facts["scim_token"], token_created_on=token_made
    )
    run = request_run(tenant=wired, kind=Run.Kind.FULL, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=True)
    finished = execution.execute_run(run.pk)
    assert finished is not None
    assert (finished.state, finished.problem) == (Run.State.FAILED, "aws-down")
    assert "CERTIFICATE_VERIFY_FAILED" in finished.problem_detail
    assert lab.requests() == []
