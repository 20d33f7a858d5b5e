"""A step of `bench fleet` and `run.py chaos` in a process of its own, with the product's settings; JSON in and out."""

import datetime
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

import django

django.setup()

from django.utils import timezone

from sync.configuration import assignments, mappings
from sync.connection import services
from sync.directory.live import Found
from sync.models import AwsConnection, EntraConnection, Run, Tenant
from sync.runs.requests import request_run
from sync.tenants import services as tenants

ACTOR = "fleet"


def prepare(tenants_wanted: int, groups: list[list[str]], interval: int) -> dict[str, Any]:
    """Tenants by turns on the labs, each with all groups of its own assigned. `groups`: ids by lab."""
    labs = json.loads(os.environ["FLEET_LABS"])
    for n in range(tenants_wanted):
        lab = n % len(labs)
        tenant = tenants.create_tenant(actor=ACTOR, name=f"Tenant {n:03}")
        connect(tenant, labs[lab], cloud=f"lab{lab}")
        mappings.apply_recommended(actor=ACTOR, tenant=tenant)
        chosen = [Found("group", key, f"Team {place:04}", "", "") for place, key in enumerate(groups[lab])]
        assignments.assign_objects(actor=ACTOR, tenant=tenant, chosen=chosen)
        tenants.save_provisioning(tenant=tenant, actor=ACTOR, interval=interval)
    now = timezone.now()
    for half in (EntraConnection, AwsConnection):
        half.objects.update(changed_at=now, tested_at=now, test_passed=True)
    return {"tenants": Tenant.objects.count()}


def connect(tenant: Tenant, facts: dict[str, Any], cloud: str) -> None:
    services.save_entra(
        tenant=tenant,
        actor=ACTOR,
        cloud=cloud,
        directory_id=facts["directory_id"],
        client_id=facts["client_id"],
        credential_kind=EntraConnection.CredentialKind.SECRET,
        credential=facts["client_secret"],
        ends_on=timezone.localdate() + datetime.timedelta(days=365),
    )
    services.save_aws(
        tenant=tenant,
        actor=ACTOR,
        endpoint=facts["scim_endpoint"],
        token=facts["scim_token"],
        token_created_on=timezone.localdate(),
    )


def ask(kind: str, confirmed: bool = False) -> dict[str, Any]:
    """A run of every tenant, at once."""
    for tenant in Tenant.objects.all():
        request_run(tenant=tenant, kind=kind, trigger=Run.Trigger.PERSON, actor=ACTOR, confirmed=confirmed)
    return {}


def turn_on() -> dict[str, Any]:
    """As it is after a first run."""
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now(), next_run_at=timezone.now())
    return {}


def wait_a_day() -> dict[str, Any]:
    """Nothing comes by itself meanwhile."""
    tomorrow = timezone.now() + datetime.timedelta(days=1)
    Tenant.objects.update(next_run_at=tomorrow, verify_daily=False)
    return {}


def turn_off() -> dict[str, Any]:
    Tenant.objects.update(enabled=False, next_run_at=None)
    return {}


STEPS = {step.__name__: step for step in (prepare, ask, turn_on, wait_a_day, turn_off)}

if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]](**json.load(sys.stdin))))
