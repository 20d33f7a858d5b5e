"""Misses at sign-in: whoever guesses waits, longer and longer, and nobody else does."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client, RequestFactory

from portal.access import throttle
from portal.access.throttle import TooManyTries, begin_try, client_address, network_of
from portal.models import Role, TryCount, User
from tests.world.people import PASSWORD, code_of_app, person

HERE, ELSEWHERE = "203.0.113.7", "198.51.100.9"


def time_goes_on(seconds: float) -> None:
    for count in TryCount.objects.all():
        until = count.waits_until and count.waits_until - timedelta(seconds=seconds)
        since = count.since - timedelta(seconds=seconds)
        TryCount.objects.filter(pk=count.pk).update(waits_until=until, since=since)


def sign_in(email: str, password: str, address: str = HERE, client: Client | None = None) -> Any:
    client = client or Client()
    return client.post("/sign-in/", {"login": email, "password": password}, REMOTE_ADDR=address)


def is_in(answer: Any) -> bool:
    return bool(answer.status_code == 302)


def waits(answer: Any) -> bool:
    return "Too many tries. Try again at " in answer.content.decode()


def miss(email: str, times: int, address: str = HERE) -> list[bool]:
    """Which of them had to wait."""
    return [waits(sign_in(email, "wrong", address)) for _ in range(times)]


def test_the_sixth_try_waits_even_with_the_right_password(owner: User) -> None:
    assert miss(owner.email, 6) == [False] * 5 + [True]
    answer = sign_in(owner.email, PASSWORD)
    assert waits(answer)
    assert re.search(r"Try again at \d\d:\d\d:\d\d\.", answer.content.decode())


def test_each_wait_is_twice_as_long_up_to_an_hour_and_trying_meanwhile_changes_nothing(
    owner: User,
) -> None:
    miss(owner.email, 5)
    for wait in (30, 60, 120, 240, 480, 960, 1920, 3600, 3600):
        time_goes_on(wait - 2)
        assert miss(owner.email, 3) == [True] * 3, wait
        time_goes_on(3)
        assert miss(owner.email, 1) == [False], wait


def test_after_the_wait_the_right_password_signs_in_and_ends_the_count(
    owner: User,
) -> None:
    miss(owner.email, 5)
    time_goes_on(31)
    assert is_in(sign_in(owner.email, PASSWORD))
    assert miss(owner.email, 5) == [False] * 5


def test_nobody_keeps_the_owner_of_an_account_out_from_elsewhere(owner: User) -> None:
    for number in range(150):
        miss(owner.email, 1, f"192.0.2.{number}")
    assert is_in(sign_in(owner.email, PASSWORD, HERE))


def test_nobody_keeps_others_at_the_same_address_out(owner: User) -> None:
    """All of an office, or all behind a proxy that was not told of."""
    for number in range(150):
        miss(f"somebody{number}@acme.example", 1)
    assert is_in(sign_in(owner.email, PASSWORD))


def test_a_browser_that_signed_in_before_is_kept_out_by_nobody_at_its_own_address(owner: User) -> None:
    client = Client()
    sign_in(owner.email, PASSWORD, client=client)
    client.post("/sign-in/verify/", {"code": code_of_app()})
    client.post("/sign-out/")
    miss(owner.email, 20)
    assert waits(sign_in(owner.email, PASSWORD))
    assert is_in(sign_in(owner.email, PASSWORD, client=client))


def test_a_browser_knows_only_the_account_that_signed_in_with_it(owner: User) -> None:
    client = Client()
    sign_in(owner.email, PASSWORD, client=client)
    client.post("/sign-in/verify/", {"code": code_of_app()})
    client.post("/sign-out/")
    kim = person("kim@acme.example", Role.VIEWER)
    miss(kim.email, 5)
    assert waits(sign_in(kim.email, PASSWORD, client=client))


def test_an_account_under_attack_leaves_a_strange_address_one_try(owner: User) -> None:
    for number in range(throttle.ATTACK):
        miss(owner.email, 1, f"192.0.2.{number}")
    assert miss(owner.email, 2, ELSEWHERE) == [False, True]


def test_an_unknown_account_answers_as_a_known_one(owner: User) -> None:
    assert miss("nobody@acme.example", 6) == miss(owner.email, 6)


def test_capitals_and_blanks_make_no_other_account(owner: User) -> None:
    assert [waits(sign_in(email, "wrong")) for email in (owner.email, owner.email.upper()) * 3] == [False] * 5 + [True]


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
def test_of_tries_at_the_same_time_as_many_pass_as_one_after_the_other() -> None:
    request = RequestFactory().post("/sign-in/", REMOTE_ADDR=HERE)

    def passes(_number: int) -> bool:
        try:
            begin_try(request, "jo@acme.example")
        except TooManyTries:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(passes, range(24))) == 5


def test_codes_wait_too_and_a_million_guesses_are_not_spread_over_many_addresses(owner: User) -> None:
    def tries(address: str) -> Any:
        client = Client()
        sign_in(owner.email, PASSWORD, address, client)
        return client.post("/sign-in/verify/", {"code": "000000"}, REMOTE_ADDR=address)

    assert [waits(tries(HERE)) for _ in range(6)] == [False] * 5 + [True]
    for number in range(throttle.ATTACK - 5):
        tries(f"192.0.2.{number}")
    assert waits(tries(ELSEWHERE))


def test_an_open_session_is_no_way_to_try_passwords(viewer: User, client_of: Callable[[User], Client]) -> None:
    client = client_of(viewer)
    for _ in range(5):
        client.post("/me/password/", {"current": "wrong", "password": "another quiet river"})
    form = {"current": PASSWORD, "password": "another quiet river"}
    assert client.post("/me/password/", form).status_code == 422
    assert viewer.check_password(PASSWORD)


def test_what_is_counted_names_nobody_and_is_forgotten_after_a_day(owner: User) -> None:
    miss(owner.email, 6)
    assert "acme" not in str(list(TryCount.objects.values()))
    time_goes_on(24 * 3600 + 1)
    assert miss(owner.email, 5) == [False] * 5
    time_goes_on(24 * 3600 + 1)
    throttle.forget_old_tries()
    assert not TryCount.objects.exists()


# --- Where a request comes from ---


@pytest.mark.pure
@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "1.2.3.4", HERE),
        (1, "1.2.3.4", "1.2.3.4"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.1", "1.2.3.4"),
        (2, "1.2.3.4", HERE),
        (1, "", HERE),
        (1, "unknown", HERE),
        (1, "1.2.3.4, evil", HERE),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_only_the_stated_number_of_proxies_is_believed(settings: Any, proxies: int, header: str, address: str) -> None:
    settings.PROXIES = proxies
    headers = {"X-Forwarded-For": header} if header else {}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=HERE, headers=headers)) == address


@pytest.mark.pure
def test_a_unix_socket_has_no_address(settings: Any) -> None:
    assert client_address(RequestFactory().get("/", REMOTE_ADDR="")) == "0.0.0.0"


@pytest.mark.pure
def test_one_customer_s_network_is_one_place() -> None:
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2::5")
    assert network_of("2001:db8:1:3::4") != network_of("2001:db8:1:2::4")
    assert network_of(HERE) == HERE
