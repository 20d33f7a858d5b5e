"""Objects on the never-touch list are never written to, whoever asks."""

import time
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.scim.errors import Untouchable
from sync.scim.never_touch import NeverTouch
from tests.sync.scim.test_client import client
from tests.world.web import Web

pytestmark = pytest.mark.pure

WRITES: list[Callable[[Any], object]] = [
    lambda asked: asked.patch_group("ct", []),
    lambda asked: asked.delete_group("ct"),
    lambda asked: asked.add_members("ct", ["u"]),
    lambda asked: asked.remove_members("ct", ["u"]),
    lambda asked: asked.patch_user("ct", []),
    lambda asked: asked.delete_user("ct"),
]


@pytest.mark.parametrize("write", WRITES)
def test_nothing_is_sent_to_an_object_that_was_read_and_matches(web: Web, write: Callable[[Any], object]) -> None:
    web.on("GET", "/Groups", said={"Resources": [{"id": "ct", "displayName": "AWSControlTowerAdmins"}]})
    asked = client(never_touch=NeverTouch(["AWS*"]))
    list(asked.list_groups())
    with pytest.raises(Untouchable) as caught:
        write(asked)
    assert caught.value.permanent
    assert len(web.asked) == 1


def test_what_we_made_is_ours_whatever_its_name(web: Web) -> None:
    web.on("POST", "/Groups", said={"id": "new", "displayName": "AWS-Admins"}, status=201)
    web.on("GET", "/Groups/new", said={"id": "new", "displayName": "AWS-Admins"})
    web.on("PATCH", "/Groups/new", status=204)
    asked = client(never_touch=NeverTouch(["AWS*"]))
    asked.create_group({"displayName": "AWS-Admins"})
    asked.get_group("new")
    assert asked.add_members("new", ["u"]).status == 204


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("AWS*", "AWSReadOnly", True),
        ("AWS*", "awsreadonly", False),
        ("AWS*", "my AWS", False),
        ("AWSControlTowerAdmins", "AWSControlTowerAdmins", True),
        ("AWSControlTowerAdmins", "AWSControlTowerAdmins-EU", False),
        ("AWSControlTowerAdmins", "awscontroltoweradmins", False),
        ("*-break-glass", "eu-break-glass", True),
        ("Team [1]?", "Team [1]?", True),
        ("Team [1]?", "Team 12", False),
        ("", "anything", False),
    ],
)
def test_names_are_met_to_the_letter_and_only_the_asterisk_is_special(pattern: str, name: str, matches: bool) -> None:
    assert NeverTouch([pattern]).matches(name) is matches


def test_an_id_on_the_list_is_protected_even_where_we_made_the_object() -> None:
    with pytest.raises(Untouchable):
        NeverTouch(["the-id"], ["the-id"]).check("the-id", "PATCH", "Users/the-id")


def test_user_names_and_display_names_both_count() -> None:
    touch = NeverTouch(["root*", "Root*"])
    touch.see({"id": "1", "userName": "root@x.y", "displayName": "R"})
    touch.see({"id": "2", "userName": "x@x.y", "displayName": "Root of all"})
    touch.see({"id": "3", "userName": "x@x.y", "displayName": "Anna"})
    assert touch.protected == {"1", "2"}


def test_a_resource_fits_by_its_name_or_by_its_whole_id() -> None:
    listed = NeverTouch(["AWS*", "id-1"])
    assert listed.fits({"id": "x", "displayName": "AWSAdmins"})
    assert listed.fits({"id": "id-1", "userName": "ada"})
    assert not listed.fits({"id": "id-12", "userName": "ada"})


@given(
    st.lists(st.text("ab*", max_size=8), max_size=3),
    st.text("ab", max_size=10),
)
def test_an_asterisk_stands_for_any_text_as_in_a_shell(patterns: list[str], name: str) -> None:
    wanted = any(fnmatchcase(name, pattern) for pattern in patterns if pattern)
    assert NeverTouch(patterns).matches(name) is wanted


def test_a_pattern_of_many_asterisks_takes_no_longer_than_the_name_is_long() -> None:
    """Python's own engine would not come to an end with it (`no re on what an admin wrote`)."""
    never_touch = NeverTouch(["*a" * 100 + "b"])
    began = time.monotonic()
    assert not never_touch.matches("a" * 1024)
    assert time.monotonic() - began < 1
