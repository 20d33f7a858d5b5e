"""What the commands about accounts share."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from portal.access import users
from portal.models import User
from sync.management.base import AuditedCommand, Exit, tenant_named
from sync.models import Tenant


class UserCommand(AuditedCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals_as_errors():
            self.handle_user(options["email"].strip().lower(), options)

    def handle_user(self, email: str, options: dict[str, Any]) -> None:
        raise NotImplementedError

    def say_how_to_sign_in(self, user: User) -> None:
        if user.password_ends_at:
            end = f"{timezone.localtime(user.password_ends_at):%Y-%m-%d %H:%M %Z}"
            self.stdout.write(f"The password works until {end}; at the first sign-in {user.email} chooses another one.")
        else:
            end = f"{timezone.localtime(users.link_end()):%Y-%m-%d %H:%M %Z}"
            self.stdout.write(f"A link for {user.email} alone, to choose a password; once, until {end}:")
            self.stdout.write(users.password_link(user))


@contextmanager
def refusals_as_errors() -> Iterator[None]:
    try:
        yield
    except users.Refused as error:
        raise CommandError(str(error), returncode=Exit.FAILED) from error


def add_password_option(parser: CommandParser) -> None:
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="read a first password from standard input, in place of making a link; it ends after three days",
    )


def add_tenant_option(parser: "argparse._ActionsContainer", meaning: str) -> None:
    parser.add_argument("--tenant", help=f"its part of the URL, /t/<tenant>/; without it {meaning}")


def tenant_of(options: dict[str, Any]) -> Tenant | None:
    return tenant_named(options["tenant"]) if options["tenant"] else None


def user_named(email: str) -> User:
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        raise CommandError(f"Nobody signs in as {email!r}.", returncode=Exit.USAGE)
    return user


def first_password(user: User, options: dict[str, Any]) -> str | None:
    if not options["password_stdin"]:
        return None
    password = sys.stdin.readline().rstrip("\n")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages), returncode=Exit.USAGE) from error
    return password
