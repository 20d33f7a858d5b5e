"""The cache: JSON and no pickle, and nothing of the directory readable on the broker's disk."""

import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.redis import RedisCache
from django.test import Client

from portal.deployment.cache import SealedFileCache, SealedJson
from portal.deployment.redis_cache import PatientRedisCache
from portal.models import User
from sync.directory import live
from sync.directory.live import Found
from sync.keyring import new_ring_line
from sync.models import Tenant
from tests.world.people import PASSWORD

FOUND = {"name": "Adele Vance", "mail": "adele@acme.example"}


class Bomb:
    """Unpickling it would make the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


@pytest.fixture(params=["files", "redis"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseCache]:
    if request.param == "files":
        yield SealedFileCache(str(tmp_path / "cache"), {})
        return
    url = request.getfixturevalue("valkey_url")
    found = RedisCache(url, {"OPTIONS": {"serializer": "portal.deployment.cache.SealedJson"}})
    yield found
    found.clear()
    found.close()


def test_what_is_kept_comes_back(cache: BaseCache) -> None:
    for value in (FOUND, [1.5, 2.5], "text", 7, True, {"a": None}):
        cache.set("key", value, 60)
        assert cache.get("key") == value
    assert cache.get("nothing", "default") == "default"


def test_counters_count(cache: BaseCache) -> None:
    cache.set("tries", 1, 60)
    cache.incr("tries")
    assert cache.get("tries") == 2
    assert not cache.add("tries", 1, 60)


def test_of_many_who_count_at_once_none_is_lost(cache: BaseCache) -> None:
    cache.add("tries", 0, 60)
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda _n: cache.incr("tries"), range(200)))
    assert sorted(counted) == list(range(1, 201))
    assert cache.get("tries") == 200


def test_of_many_who_add_at_once_one_does(cache: BaseCache) -> None:
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda n: cache.add("first", n, 60), range(40)))
    assert added.count(True) == 1


def test_counting_does_not_lengthen_the_time_for_which_a_counter_counts(tmp_path: Path) -> None:
    files = SealedFileCache(str(tmp_path), {})
    files.add("tries", 0, 5)
    files.incr("tries")
    assert 0 < (files._left("tries", None) or 0) <= 5
    files.set("ever", 0, None)
    files.incr("ever")
    assert files._left("ever", None) is None


def test_nobody_counts_what_is_not_there(cache: BaseCache) -> None:
    with pytest.raises(ValueError, match="nothing"):
        cache.incr("nothing")


def test_what_is_over_is_gone(cache: BaseCache) -> None:
    cache.set("key", FOUND, -1)
    assert cache.get("key") is None


def test_without_redis_each_process_counts_for_itself(tmp_path: Path) -> None:
    cache = PatientRedisCache(f"unix://{tmp_path}/nobody.sock", {})
    assert cache.get("key", "default") == "default"
    cache.set("key", FOUND, 60)
    assert cache.get_many(["key"]) == {"key": FOUND}
    assert [cache.incr("tries"), cache.incr("tries")] == [1, 2]
    assert not cache.add("tries", 0, 60)


def test_where_redis_takes_nothing_each_process_counts_for_itself(broker: str) -> None:
    """Its disk is full, or its memory: it answers, and refuses."""
    cache = PatientRedisCache(f"unix://{broker.partition('://')[2]}", {})
    with redis.Redis(unix_socket_path=broker.partition("://")[2]) as client:
        client.config_set("maxmemory", 1)
    cache.set("key", FOUND, 60)
    assert cache.add("misses", 0, 60)
    assert [cache.incr("misses"), cache.incr("misses")] == [1, 2]


def test_without_redis_people_sign_in_and_misses_are_counted(
    client: Client, owner: User, settings: Any, tmp_path: Path
) -> None:
    backend = "portal.deployment.redis_cache.PatientRedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": f"unix://{tmp_path}/nobody.sock"}}
    assert client.post("/sign-in/", {"login": owner.email, "password": PASSWORD}).status_code == 302
    client = Client()
    answers = [client.post("/sign-in/", {"login": owner.email, "password": "no"}).content.decode() for _ in range(12)]
    assert "Too many tries" not in answers[0]
    assert "Too many tries" in answers[-1]


def test_another_key_ring_finds_nothing_and_breaks_nothing(cache: BaseCache, settings: Any) -> None:
    cache.set("key", FOUND, 60)
    settings.SEAL_KEYS = new_ring_line()
    assert cache.get("key") is None


def test_what_cannot_be_json_is_refused(cache: BaseCache) -> None:
    with pytest.raises(TypeError):
        cache.set("key", object(), 60)


def test_names_are_not_readable_in_what_is_written(tmp_path: Path) -> None:
    SealedFileCache(str(tmp_path), {}).set("key", FOUND, 60)
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"Adele" not in written
    sent = SealedJson().dumps(FOUND)
    assert isinstance(sent, bytes)
    assert b"Adele" not in sent


def test_a_pickle_in_the_brokers_memory_is_never_opened(tmp_path: Path) -> None:
    assert SealedJson().loads(pickle.dumps(Bomb(tmp_path / "made"))) is None
    files = SealedFileCache(str(tmp_path / "cache"), {})
    files.set("key", FOUND, 60)
    for path in (tmp_path / "cache").iterdir():
        path.write_bytes(pickle.dumps(None) + pickle.dumps(Bomb(tmp_path / "made")))
    assert files.get("key") is None
    assert not (tmp_path / "made").exists()


def test_a_name_that_was_looked_up_is_remembered(tenant: Tenant) -> None:
    adele = Found("user", "6cf687a0-8b15-5fd6-98e7-29696e6c2e14", "Adele", "adele@acme.example", "person")
    live._remember(tenant, [adele])
    assert live.known(tenant, [adele.reference]) == {adele.reference: adele}
    assert live.last_name(tenant, adele.object_id) == "Adele"
