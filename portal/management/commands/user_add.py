"""`manage.py user_add EMAIL --role R [--tenant SLUG]`: a person who may sign in."""

import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from portal.models import Role, RoleGrant, User
from sync import audit
from sync.management.base import TenantCommand, tenant_named
from sync.models import Tenant


class Command(BaseCommand):
    help = "Adds a person, or gives a known one another role. The password is asked, or read with --password-stdin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--tenant", help="slug; without it the role is for all tenants")
        parser.add_argument("--name", default="")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = self._tenant(options)
        user = User.objects.filter(email__iexact=options["email"]).first()
        password = None if user else self._password(options)
        with transaction.atomic():
            user = user or User.objects.create_user(options["email"], password, name=options["name"])
            RoleGrant.objects.update_or_create(user=user, tenant=tenant, defaults={"role": options["role"]})
            after = {"email": user.email, "role": options["role"], "tenant": tenant.slug if tenant else None}
            audit.record(TenantCommand.actor, "user.grant", user, None, after)
        self.stdout.write(f"{user.email} is {Role(options['role']).label} of {tenant or 'all tenants'}.")

    def _tenant(self, options: dict[str, Any]) -> Tenant | None:
        if not options["tenant"]:
            return None
        if options["role"] == Role.OWNER:
            raise CommandError("An Owner is one for all tenants. Leave --tenant out.")
        return tenant_named(options["tenant"])

    def _password(self, options: dict[str, Any]) -> str:
        password = sys.stdin.readline().rstrip("\n") if options["password_stdin"] else getpass.getpass()
        try:
            validate_password(password, User(email=options["email"], name=options["name"]))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        return password
