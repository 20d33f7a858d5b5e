"""`manage.py user_remove EMAIL [--tenant SLUG | --deactivate]`: takes an account away, or one role of it."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from portal.access import users
from portal.management.users import UserCommand, add_tenant_option, tenant_of, user_named
from sync.management.base import Exit


class Command(UserCommand):
    help = "Removes an account with its roles, second factors and sessions. The last Owner stays."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        only = parser.add_mutually_exclusive_group()
        add_tenant_option(only, "the whole account goes; with it only the role for this tenant")
        only.add_argument("--deactivate", action="store_true", help="keep the account, but nobody signs in with it")

    def handle_user(self, email: str, options: dict[str, Any]) -> None:
        user, tenant = user_named(email), tenant_of(options)
        if options["deactivate"]:
            users.deactivate(actor=self.actor, user=user)
            self.stdout.write(f"{user.email} cannot sign in any more.")
        elif tenant is None:
            users.remove_user(actor=self.actor, user=user)
            self.stdout.write(f"The account {email} is removed.")
        elif users.take_role(actor=self.actor, user=user, tenant=tenant):
            self.stdout.write(f"{user.email} has no role of their own for {tenant} any more.")
        else:
            raise CommandError(f"{user.email} has no role of their own for {tenant}.", returncode=Exit.FAILED)
