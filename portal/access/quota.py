"""How often one person may ask for what is dear, and from where an export may be started."""

import math
import time
from dataclasses import dataclass

from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from portal.access.request import HttpRequest


@dataclass(frozen=True, slots=True)
class Quota:
    """So many within so many seconds, counted in windows of that length."""

    name: str
    most: int
    seconds: int


EXPORT = Quota("export", 20, 60)
TEST = Quota("test", 10, 60)
PASTE = Quota("paste", 12, 600)
# Previews and checks that are under way already cost nothing: a second press finds them.
PREVIEW = Quota("preview", 30, 600)
# Of the API, by whom the token acts for.
CALLS = Quota("calls", 600, 60)


class TooOften(Exception):
    """`wait`: seconds after which there is room again."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


def take(request: HttpRequest, quota: Quota) -> None:
    """Raises TooOften, which the middleware answers with 429."""
    now = time.time()
    key = f"quota:{quota.name}:{request.user.pk}:{int(now // quota.seconds)}"
    cache.add(key, 0, quota.seconds)
    if cache.incr(key) > quota.most:
        raise TooOften(math.ceil(quota.seconds - now % quota.seconds))


def begin_export(request: HttpRequest) -> None:
    """Another site's link must not start one: it reads much, and leaves an entry in the audit log (ASVS V3.5.3).

    Browsers say where a request comes from (Fetch Metadata); those that do not are let through."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise PermissionDenied(_("An export starts from a page of ours, not from a link elsewhere."))
    take(request, EXPORT)
