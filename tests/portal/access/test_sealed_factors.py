"""The secrets of second factors move to a new key with all others."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client

from portal.models import User
from sync.connection import rotation
from sync.connection.sealing import key_of
from sync.models import AuditEntry
from tests.world.people import PASSWORD, code_of_app

NEW, OLD = "new:" + "B" * 43 + "=", "test:" + "A" * 43 + "="


@pytest.fixture
def codes(owner: User) -> list[str]:
    """Of an Owner with an app and recovery codes."""
    unused: list[str] = RecoveryCodes.activate(owner).get_unused_codes()
    return unused


def keys() -> set[str]:
    app, seed = Authenticator.objects.order_by("-type")
    return {key_of(app.data["secret"]), key_of(seed.data["seed"])}


def test_they_are_sealed_again_and_open_without_the_old_key(codes: list[str], settings: Any) -> None:
    settings.SEAL_KEYS = f"{NEW}\n{OLD}"
    assert [row.label for row in rotation.rotate(actor="command line")] == [
        "jo@acme.example: TOTP Authenticator",
        "jo@acme.example: Recovery codes",
    ]
    assert keys() == {"new"}
    settings.SEAL_KEYS = NEW
    app, seed = Authenticator.objects.order_by("-type")
    assert app.wrap().validate_code(code_of_app())
    assert seed.wrap().get_unused_codes() == codes
    assert AuditEntry.objects.filter(verb="key.rotate").count() == 2


def test_a_missing_key_is_named_and_forgetting_it_makes_people_set_up_anew(codes: list[str], settings: Any) -> None:
    settings.SEAL_KEYS = NEW
    assert "SEAL_KEYS has no key 'test'" in rotation.problems(rotation.key_uses())[0]
    assert len(rotation.forget("test", actor="command line")) == 2
    assert not Authenticator.objects.exists()
    assert rotation.problems(rotation.key_uses()) == []


@pytest.mark.parametrize("damaged", ["totp", "recovery_codes"])
def test_a_damaged_factor_keeps_nobody_out_who_has_another(owner: User, codes: list[str], damaged: str) -> None:
    place = {"totp": "secret", "recovery_codes": "seed"}[damaged]
    # The damaged one is looked at first.
    other = Authenticator.objects.exclude(type=damaged).get()
    Authenticator.objects.filter(type=damaged).update(data={place: "v1.test.abc", "used_mask": 0})
    other.delete()
    other.pk = None
    other.save()
    client = Client()
    client.post("/sign-in/", {"login": owner.email, "password": PASSWORD})
    assert "cannot be read" in client.post("/sign-in/verify/", {"code": "000000"}).content.decode()
    code = codes[0] if damaged == "totp" else code_of_app()
    assert client.post("/sign-in/verify/", {"code": code})["Location"] == "/t/"
