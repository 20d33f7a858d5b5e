"""The one-time code for the first Owner: shown in the terminal, kept only as a hash, used up once."""

import hashlib
import hmac
import json
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from portal.models import Role, RoleGrant, User
from sync import audit

# Without letters and digits that look alike.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def needed() -> bool:
    return not RoleGrant.objects.filter(role=Role.OWNER, tenant=None, user__is_active=True).exists()


def issue_code() -> str:
    """A new code; one that was shown before stops working."""
    code = "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))
    draft = _path().with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps({"sha256": _hash(code)}))
    draft.replace(_path())
    return code


def code_matches(code: str) -> bool:
    path = _path()
    if not path.is_file():
        return False
    expected = str(json.loads(path.read_text()).get("sha256", ""))
    return hmac.compare_digest(_hash(code), expected)


@transaction.atomic
def make_owner(*, email: str, password: str, name: str, **facts: Any) -> User:
    """`facts`: more fields of the account. The code is used up."""
    user = User.objects.create_user(email, password, name=name, **facts)
    RoleGrant.objects.create(user=user, role=Role.OWNER)
    audit.record(user.email, "user.first_owner", user, None, {"email": user.email, "role": Role.OWNER.value})
    burn()
    return user


def burn() -> None:
    _path().unlink(missing_ok=True)


def _path() -> Path:
    return Path(settings.STATE_DIR) / "first-run.json"


def _hash(code: str) -> str:
    typed = "".join(letter for letter in code.upper() if letter in ALPHABET)
    return hashlib.sha256(typed.encode()).hexdigest()
