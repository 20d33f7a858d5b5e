"""The end of an API token is told to its person, on the days on which the end of a credential is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.access.api_tokens import make_token
from portal.access.token_ends import tell_of_ends
from portal.models import ApiToken, Role, User
from portal.tasks import tell_of_token_ends
from sync.models import Delivery, Tenant
from tests.world.people import person

pytestmark = pytest.mark.django_db


def made(user: User, days: int, tenant: Tenant | None = None) -> ApiToken:
    """It ends at noon, UTC."""
    token = make_token(user=user, name="Nightly report", scopes=["read"], tenant=tenant, days=days)[0]
    token.ends_at = token.ends_at.replace(hour=12, minute=0)
    token.save()
    return token


def look(token: ApiToken, days_left: int) -> None:
    tell_of_ends(token.ends_at - timedelta(days=days_left, minutes=1))


def subjects() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("subject", flat=True))


@pytest.mark.parametrize(
    ("length", "told"),
    [(365, (90, 60, 30, 14, 7, 1, 0)), (90, (60, 30, 14, 7, 1, 0)), (7, (1, 0)), (30, (14, 7, 1, 0))],
)
def test_each_day_brings_its_person_one_mail(tenant: Tenant, owner: User, length: int, told: tuple[int, ...]) -> None:
    """However often it is looked at; the day on which it was made is none."""
    token = made(owner, length)
    for days_left in range(length, -2, -1):
        look(token, days_left)
        look(token, days_left)
    words = {0: "ends today", 1: "ends in 1 day"}
    assert subjects() == [
        f"[Lockstep] Your API token “Nightly report” {words.get(days, f'ends in {days} days')}" for days in told
    ]
    assert set(Delivery.objects.values_list("recipient", "tenant")) == {("jo@acme.example", tenant.pk)}


def test_the_mail_says_until_when_and_leads_to_the_page(tenant: Tenant, owner: User) -> None:
    User.objects.update(time_zone="Europe/Berlin")
    token = made(owner, 30)
    ApiToken.objects.update(ends_at=token.ends_at.replace(2027, 6, 1, 10, 0))
    token.refresh_from_db()
    look(token, 7)
    body = Delivery.objects.get().body
    assert "It ends on 1 Jun 2027, 12:00 (CEST)" in body
    assert "http://localhost:8000/settings/tokens/" in body


def test_nobody_is_told_whose_token_counts_for_nothing(tenant: Tenant, owner: User) -> None:
    out = made(person("ann@acme.example", Role.VIEWER, tenant), 30)
    User.objects.filter(email="ann@acme.example").update(is_active=False)
    look(out, 7)
    made(owner, 30)
    ApiToken.objects.update(ends_at=timezone.now() - timedelta(minutes=1))
    tell_of_token_ends()
    assert subjects() == []


def test_a_token_of_before_is_told_once_where_it_stands(tenant: Tenant, owner: User) -> None:
    token = made(owner, 30, tenant)
    ApiToken.objects.update(told_days=None)
    for _ in range(2):
        look(token, 10)
    assert len(subjects()) == 1


def test_an_installation_without_a_tenant_writes_to_nobody(db: None, owner: User) -> None:
    look(made(owner, 30), 7)
    assert subjects() == []
