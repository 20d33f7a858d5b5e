"""How passwords are kept, and which are refused."""

import re

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from portal.access.breached import is_breached
from portal.models import User

# What an attacker tries first here (ASVS 5.0, V6.1.2), besides name, address and organisation of the person.
CONTEXT_WORDS = ("lockstep", "identity", "center", "entra", "azure", "microsoft", "amazon", "aws", "scim", "password")
# So many letters and digits have to be left of a password without them.
REST = 8
SHORTEST_WORD = 2


class Argon2id(Argon2PasswordHasher):
    """The first choice of OWASP's Password Storage Cheat Sheet: 46 MiB for each sign-in that is going on."""

    time_cost = 1
    memory_cost = 47104
    parallelism = 1


class BreachedValidator:
    def validate(self, password: str, user: User | None = None) -> None:
        if is_breached(password):
            raise ValidationError(_("This password is known from breaches. Choose another one."), code="breached")

    def get_help_text(self) -> str:
        return _("No password that is known from breaches.")


class ContextValidator:
    def validate(self, password: str, user: User | None = None) -> None:
        words = sorted({*CONTEXT_WORDS, *_words_of(user)}, key=len, reverse=True)
        rest = re.sub("|".join(map(re.escape, words)), "", password.casefold())
        if sum(letter.isalnum() for letter in rest) < REST:
            raise ValidationError(
                _("Too much of this password is what others know of you or of this place. Add other words."),
                code="context",
            )

    def get_help_text(self) -> str:
        return _("More than your name, your organisation and the product.")


def _words_of(user: User | None) -> list[str]:
    text = f"{user.name} {user.email}".casefold() if user else ""
    return [word for word in re.split(r"[\W_]+", text) if len(word) >= SHORTEST_WORD]
