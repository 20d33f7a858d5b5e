"""The cache in Redis, which may be away for a while."""

from collections.abc import Callable
from typing import Any

import redis
import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

# Not there, silent, or refusing: a full disk is a ResponseError.
AWAY = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, redis.exceptions.ResponseError)

log = structlog.get_logger(__name__)


class PatientRedisCache(RedisCache):
    """Redis, or the memory of this process while Redis is away: people can sign in, and what they miss is still counted."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._own = LocMemCache("while Redis is away", params)

    def add(self, *arguments: Any, **named: Any) -> Any:
        return self._or_own("add", super().add, *arguments, **named)

    def get(self, *arguments: Any, **named: Any) -> Any:
        return self._or_own("get", super().get, *arguments, **named)

    def set(self, *arguments: Any, **named: Any) -> Any:
        return self._or_own("set", super().set, *arguments, **named)

    def delete(self, *arguments: Any, **named: Any) -> Any:
        return self._or_own("delete", super().delete, *arguments, **named)

    def get_many(self, *arguments: Any, **named: Any) -> Any:
        return self._or_own("get_many", super().get_many, *arguments, **named)

    def set_many(self, *arguments: Any, **named: Any) -> Any:
        return self._or_own("set_many", super().set_many, *arguments, **named)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """A counter that began in Redis begins anew."""
        try:
            return super().incr(key, delta, version)
        except ValueError:
            # Redis has no such counter: one that it did not take began here.
            return self._own.incr(key, delta, version)
        except AWAY:
            self._own.add(key, 0, version=version)
            return self._own.incr(key, delta, version)

    def _or_own(self, name: str, ask: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        try:
            return ask(*arguments, **named)
        except AWAY as error:
            log.warning("broker away", reason=str(error))
            return getattr(self._own, name)(*arguments, **named)
