"""`manage.py welcome [--demo]`: where to go, how to become the first Owner; with --demo, a tenant ready to turn on.

Reads the lab's facts (the JSON line of `python -m lab`) from standard input.
"""

import json
import secrets
import shlex
import sys
from datetime import timedelta
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from portal.access import first_run, users
from portal.deployment.embedded import DEMO_TENANT
from portal.models import User
from sync.configuration import assignments
from sync.connection import services
from sync.directory import live
from sync.management.base import AuditedCommand
from sync.models import Half, Tenant
from sync.tenants import services as tenants

EMAIL = "owner@lockstep.example"
NAME = "Rehearsal"
GROUPS = ("AWS-Developers", "AWS-Admins")
ACTOR = AuditedCommand.actor
# What a start promises: the password of the one before works at least for so long.
A_SESSION = timedelta(hours=12)
RULE = "─" * 72


class Command(AuditedCommand):
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
            lines += [
                f"First Owner:       {settings.PUBLIC_URL}/first-run/",
                f"One-time code:     {first_run.issue_code()}",
            ]
        else:
            lines += [f"Sign in:           {settings.PUBLIC_URL}/sign-in/", forgotten("EMAIL")]
        self.stdout.write("\n".join([RULE, *lines, RULE]))


def demo(facts: dict[str, Any]) -> list[str]:
    """Each part is made once; a start that was broken off is completed by the next."""
    tenant = Tenant.objects.filter(slug=DEMO_TENANT).first() or make_tenant(facts)
    test_connection(tenant)
    password = demo_owner()
    if password:
        sign_in = [f"Sign in:           {EMAIL} / {password}"]
    else:
        sign_in = [f"Sign in:           {EMAIL}, with the password shown at an earlier start", forgotten(EMAIL)]
    return [*sign_in, f"Tenant:            {settings.PUBLIC_URL}/t/{tenant.slug}/"]


def forgotten(email: str) -> str:
    """The command that prints a link for a new password; it finds another state folder by its name."""
    elsewhere = settings.STATE_DIR != settings.BASE_DIR / "var"
    state = f"STATE_DIR={shlex.quote(str(settings.STATE_DIR))} " if elsewhere else ""
    return f"Password lost:     {state}python3 run.py user_password {email}"


@transaction.atomic
def make_tenant(facts: dict[str, Any]) -> Tenant:
    tenant = tenants.create_tenant(actor=EMAIL, name=NAME, slug=DEMO_TENANT)
    services.connect(tenant, facts, actor=EMAIL)
    assignments.assign_objects(actor=EMAIL, tenant=tenant, chosen=demo_groups(facts))
    return tenant


def demo_groups(facts: dict[str, Any]) -> list[live.Found]:
    with requests.Session() as session:
        # The lab is on this machine: no proxy leads there.
        session.trust_env = False
        state = session.get(f"{facts['console']}api/entra/state", timeout=30, allow_redirects=False).json()
    return [
        live.Found("group", group["id"], group["displayName"], "", "security")
        for group in state["groups"]
        if group["displayName"] in GROUPS
    ]


def test_connection(tenant: Tenant) -> None:
    """Both halves, here and now: *Turn on* stays closed until each has passed once."""
    for half in Half:
        if not tenant.connection_tests.filter(half=half, passed=True).exists():
            services.run_test(services.new_test(tenant=tenant, actor=EMAIL, half=half).pk)


def demo_owner() -> str | None:
    """A first password, which is shown once and stored hashed; None while that Owner has one that goes on working."""
    user = User.objects.filter(email=EMAIL).first()
    if user and (user.password_ends_at is None or user.password_ends_at > timezone.now() + A_SESSION):
        return None
    password = "-".join(secrets.token_hex(3) for _ in range(3))
    if user:
        users.reset_password(actor=ACTOR, user=user, password=password)
    else:
        end = users.first_password_end(password)
        first_run.make_owner(email=EMAIL, password=password, name="Demo Owner", password_ends_at=end)
    return password
