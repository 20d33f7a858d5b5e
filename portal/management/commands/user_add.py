"""`manage.py user_add EMAIL --role R [--tenant SLUG]`: a person who may sign in."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.core.validators import validate_email

from portal.access import users
from portal.management.users import UserCommand, add_password_option, add_tenant_option, first_password, tenant_of
from portal.models import Role, User
from sync.management.base import Exit


class Command(UserCommand):
    help = (
        "Adds a person, and prints a link with which the person chooses a password; gives a known one another role. "
        "Who already has a role for the tenant (or for all) has the new one in its place."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--role", required=True, choices=Role.values)
        add_tenant_option(parser, "the role is for all tenants")
        parser.add_argument("--name", default="", help="of a new person")
        add_password_option(parser)

    def handle_user(self, email: str, options: dict[str, Any]) -> None:
        role, tenant = Role(options["role"]), tenant_of(options)
        if role is Role.OWNER and tenant:
            raise CommandError("An Owner is one for all tenants. Leave --tenant out.", returncode=Exit.USAGE)
        user = User.objects.filter(email__iexact=email).first()
        if user and (options["name"] or options["password_stdin"]):
            raise CommandError(
                f"{email} has an account. Leave --name and --password-stdin out, or see user_password.",
                returncode=Exit.USAGE,
            )
        added = user is None
        if user is None:
            user = self._add(email, role=role, options=options)
        else:
            users.give_role(actor=self.actor, user=user, role=role, tenant=tenant)
        self.stdout.write(f"{user.email} is {role.label} of {tenant or 'all tenants'}.")
        if added:
            self.say_how_to_sign_in(user)

    def _add(self, email: str, *, role: Role, options: dict[str, Any]) -> User:
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"{email!r} is no e-mail address.", returncode=Exit.USAGE) from error
        name = options["name"]
        password = first_password(User(email=email, name=name), options)
        facts: dict[str, Any] = {"email": email, "name": name, "password": password}
        return users.add_user(actor=self.actor, role=role, tenant=tenant_of(options), **facts)
