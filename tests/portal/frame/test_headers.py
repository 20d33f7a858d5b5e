"""What every answer says to browsers and to caches: pages, exports, errors, static files."""

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from portal.models import User
from sync.models import Tenant

PAGES = ["/t/acme/", "/t/acme/logs/export/", "/t/acme/readiness/export/", "/me/", "/nowhere/", "/t/none/", "/sign-in/"]


@pytest.fixture
def jo(tenant: Tenant, owner: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(owner)


@pytest.mark.parametrize("path", PAGES)
def test_no_cache_keeps_what_somebody_saw(jo: Client, path: str) -> None:
    assert jo.get(path)["Cache-Control"] == "no-store"


def test_refusals_are_not_kept_either(jo: Client, viewer: User, client_of: Callable[[User], Client]) -> None:
    assert client_of(viewer).get("/t/new/")["Cache-Control"] == "no-store"
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/sign-in/")["Cache-Control"] == "no-store"
    assert jo.get("/t/acme/?q=%00")["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", [*PAGES, "/static/css/frame.css"])
def test_every_answer_is_kept_out_of_frames_and_other_sites(jo: Client, path: str, settings: Any) -> None:
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    answer = Client().get(path) if "static" in path else jo.get(path)
    answer.close()
    if "static" in path:
        assert answer.status_code == 200
        assert "Access-Control-Allow-Origin" not in answer
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", [*PAGES, "/static/css/frame.css"])
def test_every_answer_says_what_it_is_and_in_which_letters(jo: Client, path: str, settings: Any) -> None:
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    answer = Client().get(path) if "static" in path else jo.get(path)
    answer.close()
    wanted = "text/css" if "static" in path else "text/csv" if "export" in path else "text/html"
    assert answer["Content-Type"] == f'{wanted}; charset="utf-8"'.replace('"', '"' if "static" in path else "")


def test_a_browser_runs_our_scripts_as_they_are_or_not_at_all(jo: Client) -> None:
    page = jo.get("/t/acme/runs/").content.decode()
    found = re.findall(r'<script src="/static/([^"]+)" integrity="sha384-([^"]+)" defer></script>', page)
    assert len(found) == page.count("<script") > 3
    for path, digest in found:
        content = Path(str(finders.find(path))).read_bytes()
        assert base64.b64decode(digest) == hashlib.sha384(content).digest(), path


def test_signing_out_clears_what_the_browser_kept(jo: Client) -> None:
    answer = jo.post("/sign-out/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert "Clear-Site-Data" not in jo.get("/sign-in/")


def test_messages_are_in_no_cookie(jo: Client) -> None:
    answer = jo.post("/t/new/", {"name": "Zweite", "slug": "zweite", "time_zone": "UTC"})
    assert answer.status_code == 302
    assert "messages" not in answer.cookies
    assert "Zweite" in jo.get("/t/zweite/setup/").content.decode()


@pytest.mark.parametrize("character", ["\x01", "\x08", "\x1b", "\x7f", "\x85"])
def test_control_characters_are_refused_everywhere(jo: Client, character: str) -> None:
    assert jo.get("/t/acme/logs/", {"q": f"a{character}b"}).status_code == 400
    assert jo.post("/t/new/", {"name": f"Evil{character}"}).status_code == 400
    assert jo.get(f"/t/acme/groups/{character}/").status_code == 400


def test_lines_and_tabs_are_taken_where_texts_have_them(jo: Client) -> None:
    assert jo.get("/t/acme/logs/", {"q": "a\tb"}).status_code == 200
    assert jo.get("/t/acme/groups/a%0Ab/").status_code == 400


def test_a_name_has_one_line(jo: Client) -> None:
    answer = jo.post("/t/new/", {"name": "Evil\r\nBcc: a@b", "time_zone": "UTC"})
    assert answer.status_code == 422
    assert not Tenant.objects.filter(name__startswith="Evil").exists()
