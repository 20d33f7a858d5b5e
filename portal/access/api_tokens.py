"""Tokens of the API: a script acts for a person, with no more than the token's scopes and the person's own roles.

The text is `lockstep_`, 32 random letters and digits, and six that check them (CRC-32): scanners of repositories know one
when they see it, and a mistyped one asks nothing of the database. Only its SHA-256 is kept: 190 random bits cannot be guessed,
so that a slow hash would protect nothing.
"""

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Collection, Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.access.rights import can_everywhere, role_of
from portal.access.roles import RIGHTS, Right
from portal.models import ApiToken, Scope, User
from sync import audit
from sync.models import Tenant
from sync.notifications import services as notifications

PREFIX = "lockstep_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM, CHECK = 32, 6
SHAPE = re.compile("lockstep_[0-9A-Za-z]{38}")
# So much of it is shown again.
SHOWN = len(PREFIX) + 4
# The right that each scope stands for; the person must have it too.
NEEDS: Mapping[Scope, Right] = {
    Scope.READ: Right.READ,
    Scope.SYNC: Right.OPERATE,
    Scope.PREVIEW: Right.CONFIGURE,
    Scope.DECIDE: Right.APPROVE,
}
# The time of the last use is kept to the minute.
USED = timedelta(minutes=1)


def new_text() -> str:
    body = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM))
    return PREFIX + body + _check(body)


def _check(body: str) -> str:
    """CRC-32 in base 62."""
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECK):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def is_whole(text: str) -> bool:
    body = text[len(PREFIX) : -CHECK]
    return bool(SHAPE.fullmatch(text)) and text[-CHECK:] == _check(body)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def offered_to(user: User) -> list[Scope]:
    """Of which the person's roles allow anything, somewhere."""
    held = {right for role in user.roles.values() for right in RIGHTS[role]}
    return [scope for scope in Scope if NEEDS[scope] in held]


@transaction.atomic
def make_token(
    *, user: User, name: str, scopes: Collection[str], tenant: Tenant | None, days: int
) -> tuple[ApiToken, str]:
    """The token and its text, which nobody can show again."""
    text = new_text()
    token = ApiToken.objects.create(
        user=user,
        tenant=tenant,
        name=name,
        start=text[:SHOWN],
        digest=_digest(text),
        scopes=sorted(scopes),
        ends_at=timezone.now() + timedelta(days=days),
        told_days=notifications.step_before_an_end(days),
    )
    audit.record(user.email, "token.make", token, None, _facts(token))
    return token, text


@transaction.atomic
def revoke_token(*, token: ApiToken, actor: str) -> None:
    audit.record(actor, "token.revoke", token, _facts(token), None)
    token.delete()


@transaction.atomic
def revoke_all(*, user: User, actor: str) -> None:
    for token in user.tokens.select_related("user", "tenant"):
        revoke_token(token=token, actor=actor)


@transaction.atomic
def revoke_useless(*, user: User, actor: str) -> None:
    """Where the person has no role any more: one that is given later would wake them."""
    for token in user.tokens.select_related("user", "tenant"):
        if not (role_of(user, token.tenant) if token.tenant else user.roles):
            revoke_token(token=token, actor=actor)


def _facts(token: ApiToken) -> dict[str, object]:
    where = token.tenant.slug if token.tenant else None
    facts = {
        "name": token.name,
        "start": token.start,
        "scopes": token.scopes,
        "tenant": where,
        "ends_at": token.ends_at,
    }
    return {"person": token.user.email, **facts}


def visible_to(user: User) -> QuerySet[ApiToken]:
    """One's own; Owners see and revoke everybody's."""
    mine = Q() if can_everywhere(user, Right.OWN) else Q(user=user)
    return ApiToken.objects.filter(mine).select_related("user", "tenant")


def token_of(text: str) -> ApiToken | None:
    """The one with this text, while it and its person's account last, and it does not rest."""
    if not is_whole(text):
        return None
    found = ApiToken.objects.select_related("user", "tenant").filter(digest=_digest(text))
    token = found.filter(ends_at__gt=timezone.now(), user__is_active=True).first()
    return None if token is None or token.rests else token


def note_use(token: ApiToken, address: str) -> None:
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USED)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now, last_used_from=address)
