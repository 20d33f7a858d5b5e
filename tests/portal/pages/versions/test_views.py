"""Versions as pages: what each changed, two of them compared, one restored."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sync.models import Run, Tenant
from tests.world.drafted import body, edit_title, publish_unseen, with_versions

pytestmark = pytest.mark.django_db


def test_versions_are_listed_with_what_they_changed_and_compared(drafted: Run, jo: Client) -> None:
    page = body(jo, "/t/acme/versions/")
    assert "Versions (2)" in page
    assert "Titles by department" in page
    assert "Version 1 compared with Version 2" in page
    assert "Same in both: " in page
    page = body(jo, "/t/acme/versions/", before="2", after="draft")
    assert "companyName" in page
    assert "AWS-Research" in page


def test_the_versions_page_asks_no_more_for_more_versions(tenant: Tenant, jo: Client) -> None:
    with_versions(tenant)

    def questions() -> int:
        with CaptureQueriesContext(connection) as found:
            jo.get("/t/acme/versions/")
        return len(found)

    few = questions()
    for source in ("mail", "jobTitle", "city"):
        edit_title(tenant, source)
        publish_unseen(tenant)
    assert questions() == few


def test_a_version_says_what_changed_and_why(tenant: Tenant, jo: Client) -> None:
    with_versions(tenant)
    page = body(jo, "/t/acme/versions/2/")
    assert "jobTitle</code></del>" in page
    assert "department</code></ins>" in page
    assert "Titles by department" in page
    assert "The first version: there is nothing to compare it with." in body(jo, "/t/acme/versions/1/")


def test_restoring_makes_a_draft_and_nothing_jumps(tenant: Tenant, jo: Client) -> None:
    with_versions(tenant)
    assert "come back as new users" in body(jo, "/t/acme/versions/1/restore/")
    page = jo.post("/t/acme/versions/1/restore/", follow=True).content.decode()
    assert "The draft equals version 1." in page
    assert tenant.configurations.current().number == 2
    page = jo.post("/t/acme/versions/1/restore/", follow=True).content.decode()
    assert "There is a draft with changes." in page
