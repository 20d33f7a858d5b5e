"""What a page says that cannot be shown."""

from collections.abc import Callable

import pytest
from django.test import Client

from portal.models import Role, User
from sync.models import Tenant
from tests.world.people import person

pytestmark = pytest.mark.django_db
NAVIGATION = '<nav class="ls-nav"'


@pytest.mark.parametrize(
    ("address", "status", "title"),
    [
        ("/t/acme/runs/77/", 404, "There is nothing here"),
        ("/t/acme/provisioning/turn-on/", 403, "You cannot do this"),
        ("/t/acme/mappings/cast/", 405, "This address cannot be opened"),
    ],
)
def test_inside_a_tenant_the_way_on_stays_around_it(
    tenant: Tenant, client_of: Callable[[User], Client], address: str, status: int, title: str
) -> None:
    browser = client_of(person("vi@acme.example", Role.VIEWER))
    answer = browser.get(address)
    assert answer.status_code == status
    page = answer.content.decode()
    assert f"<h1>{title} </h1>" in page
    assert NAVIGATION in page
    assert 'href="/t/acme/"' in page


def test_a_strangers_tenant_is_not_named(tenant: Tenant, client_of: Callable[[User], Client]) -> None:
    answer = client_of(User.objects.create_user("no@acme.example")).get("/t/acme/")
    assert answer.status_code == 404
    assert "Acme" not in answer.content.decode()
    assert NAVIGATION not in answer.content.decode()


def test_whoever_is_not_signed_in_is_shown_no_frame(tenant: Tenant) -> None:
    answer = Client().get("/no/such/page/")
    assert answer.status_code == 404
    assert "ls-header" not in answer.content.decode()
