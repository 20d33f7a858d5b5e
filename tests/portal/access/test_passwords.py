"""What makes a password, how it is kept, and which are refused."""

from typing import Any

import pytest
from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from portal import settings as product
from portal.models import User

pytestmark = pytest.mark.pure
JO = User(email="jo.lin@acme-works.example", name="Jo Lin")


@pytest.fixture(autouse=True)
def the_products_own(settings: Any) -> None:
    """Tests hash with MD5, which takes no time."""
    settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS


def test_passwords_are_kept_as_argon2id() -> None:
    made = make_password("four ordinary words here")
    assert made.startswith("argon2$argon2id$v=19$m=47104,t=1,p=1$")
    assert check_password("four ordinary words here", made)


def test_a_password_kept_before_opens_still_and_is_kept_anew() -> None:
    older = make_password("four ordinary words here", hasher="pbkdf2_sha256")
    kept: list[str] = []
    assert check_password("four ordinary words here", older, setter=kept.append)
    assert kept == ["four ordinary words here"]
    assert identify_hasher(older).algorithm == "pbkdf2_sha256"


@pytest.mark.parametrize("password", ["Password1234", "qwertyuiopasdf", "123456789012", "PASSWORDPASSWORD"])
def test_a_password_known_from_breaches_is_refused(password: str) -> None:
    with pytest.raises(ValidationError, match="known from breaches"):
        validate_password(password)


@pytest.mark.parametrize(
    "password", ["Lockstep-AWS-2026", "jo lin jo lin 1", "acme-works-2026", "IdentityCenter!1", "Microsoft Entra 1"]
)
def test_a_password_of_what_others_know_is_refused(password: str) -> None:
    with pytest.raises(ValidationError, match="what others know"):
        validate_password(password, JO)


@pytest.mark.parametrize(
    "password", ["correct horse battery", "four ordinary words here", "ein leiser Fluß im Mai", "x" * 11 + "y7K"]
)
def test_a_password_of_ones_own_words_is_taken(password: str) -> None:
    validate_password(password, JO)


def test_a_long_password_is_taken_and_a_short_one_is_not() -> None:
    validate_password("a quiet river " * 20, JO)
    with pytest.raises(ValidationError, match="12 characters"):
        validate_password("7 Fk!q-Zx_9", JO)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed", [" four Ordinary words ", "four Ordinary words", " four ordinary words ", " four Ordinary word"]
)
def test_a_password_is_what_was_typed_to_the_letter_and_blank(client: Client, typed: str) -> None:
    User.objects.create_user("jo@acme.example", " four Ordinary words ")
    answer = client.post("/sign-in/", {"login": "jo@acme.example", "password": typed})
    assert (answer.status_code == 302) == (typed == " four Ordinary words ")
