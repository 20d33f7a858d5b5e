"""`manage.py welcome [--demo]`: where to go, how to become the first Owner; with --demo, a tenant ready to turn on.

Reads the lab's facts (the JSON line of `python -m lab`) from standard input.
"""

import datetime
import json
import secrets
import sys
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from portal import first_run
from portal.models import RoleGrant, User
from portal.roles import Role
from sync import directory
from sync.models import Half, Tenant
from sync.services import configurations, connections, tenants

EMAIL = "owner@lockstep.example"
NAME = "Rehearsal"
GROUPS = ("AWS-Developers", "AWS-Admins")
RULE = "─" * 72


class Command(BaseCommand):
    help = "Says where to go; with --demo makes an Owner and a tenant that is wired to the lab."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        facts = {} if sys.stdin.isatty() else json.loads(sys.stdin.read() or "{}")
        lines = [f"Lockstep is ready: {settings.PUBLIC_URL}/"]
        if facts:
            lines.append(f"Rehearsal lab:     {facts['console']}")
        if options["demo"]:
            lines += demo(facts)
        elif first_run.needed():
            lines.append(
                f"First Owner:       {settings.PUBLIC_URL}/first-run/  with the one-time code {first_run.issue_code()}"
            )
        self.stdout.write("\n".join([RULE, *lines, RULE]))


def demo(facts: dict[str, Any]) -> list[str]:
    """Made once; a second start finds both."""
    password = make_owner()
    if not Tenant.objects.filter(slug="rehearsal").exists():
        make_tenant(facts)
    sign_in = (
        f"{EMAIL} / {password}" if password else f"{EMAIL} (made at an earlier start, with the password shown then)"
    )
    return [f"Sign in:           {sign_in}", f"Tenant:            {settings.PUBLIC_URL}/t/rehearsal/"]


def make_owner() -> str | None:
    if User.objects.filter(email=EMAIL).exists():
        return None
    password = "-".join(secrets.token_hex(3) for _ in range(3))
    user = User.objects.create_user(EMAIL, password, name="Demo Owner")
    RoleGrant.objects.create(user=user, role=Role.OWNER)
    first_run.burn()
    return password


def make_tenant(facts: dict[str, Any]) -> Tenant:
    today = timezone.now().date()
    tenant = tenants.create_tenant(actor=EMAIL, name=NAME)
    connections.save_entra(
        tenant=tenant,
        actor=EMAIL,
        cloud="lab",
        directory_id=facts["directory_id"],
        client_id=facts["client_id"],
        credential_kind="secret",
        credential=facts["client_secret"],
        ends_on=today + datetime.timedelta(days=365),
    )
    connections.save_aws(
        tenant=tenant,
        actor=EMAIL,
        endpoint=facts["scim_endpoint"],
        token=facts["scim_token"],
        token_created_on=today,
    )
    configurations.assign(actor=EMAIL, tenant=tenant, chosen=demo_groups(facts))
    for half in Half:
        connections.run_test(connections.new_test(tenant=tenant, actor=EMAIL, half=half).pk)
    return tenant


def demo_groups(facts: dict[str, Any]) -> list[directory.Found]:
    with requests.Session() as session:
        session.trust_env = False
        state = session.get(f"{facts['console']}api/entra/state", timeout=30).json()
    return [
        directory.Found("group", group["id"], group["displayName"], "", "security")
        for group in state["groups"]
        if group["displayName"] in GROUPS
    ]
