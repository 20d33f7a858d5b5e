"""`manage.py user_password EMAIL`: the old password stops working, and a link lets the person choose a new one."""

from typing import Any

from django.core.management.base import CommandParser

from portal.access import users
from portal.management.users import UserCommand, add_password_option, first_password, user_named


class Command(UserCommand):
    help = "Ends a person's password and sessions, and prints a link with which the person chooses a new password."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_password_option(parser)
        parser.add_argument(
            "--second-factor", action="store_true", help="take app, passkeys and recovery codes away too"
        )
        parser.add_argument("--activate", action="store_true", help="let a deactivated person sign in again")

    def handle_user(self, email: str, options: dict[str, Any]) -> None:
        user = user_named(email)
        password = first_password(user, options)
        if options["activate"] and not user.is_active:
            users.activate(actor=self.actor, user=user)
        if options["second_factor"]:
            users.reset_second_factor(actor=self.actor, user=user)
        users.reset_password(actor=self.actor, user=user, password=password)
        if not user.is_active:
            self.stdout.write(f"{user.email} is deactivated: --activate lets the person sign in again.")
        self.say_how_to_sign_in(user)
