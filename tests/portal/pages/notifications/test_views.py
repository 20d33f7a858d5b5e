"""The Notifications pages: channels with their rules, a test, what was sent; secrets go in and come out once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from portal.models import User
from sync.models import Channel, Delivery, DeliveryAttempt, Tenant
from sync.notifications import deliveries
from sync.notifications.kinds import KINDS
from tests.world.notified import mail_to

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.com/services/S3CRET-PATH"
PAGE = "/t/acme/notifications/"


@pytest.fixture
def page(tenant: Tenant, jo: Client) -> Callable[..., str]:
    def text(path: str = "") -> str:
        answer: Any = jo.get(f"{PAGE}{path}")
        assert answer.status_code == 200
        return str(answer.content.decode())

    return text


def add(jo: Client, kind: str, to: str, **more: Any) -> Any:
    return jo.post(f"{PAGE}channels/add/{kind}/", {"to": to, "kinds": ["held"], "on": "on", **more})


def test_every_kind_of_incident_is_a_rule_with_its_channels(tenant: Tenant, page: Callable[..., str]) -> None:
    mail_to(tenant)
    text = page()
    assert [str(kind.label) for kind in KINDS if str(kind.label) not in text] == []
    assert text.count("ops@acme.example") >= len(KINDS)


def test_a_channel_says_what_it_hears_of(tenant: Tenant, jo: Client) -> None:
    assert add(jo, "email", "ops@acme.example").status_code == 302
    channel = Channel.objects.get()
    assert (channel.name, channel.kinds, channel.on) == ("ops@acme.example", ["held"], True)
    facts = {"to": "", "name": "Team", "kinds": ["held", "not-ready"]}
    assert jo.post(f"{PAGE}channels/{channel.pk}/", facts | {"to": "team@acme.example"}).status_code == 302
    channel.refresh_from_db()
    assert (channel.email, channel.name, channel.kinds, channel.on) == (
        "team@acme.example", "Team", ["held", "not-ready"], False,
    )  # fmt: skip


def test_the_secret_of_a_webhook_is_shown_once(tenant: Tenant, jo: Client, page: Callable[..., str]) -> None:
    answer = add(jo, "webhook", URL)
    assert answer["Cache-Control"] == "no-store"
    secret = answer.content.decode().partition('id="secret"')[2].partition(">")[2].partition("<")[0]
    assert secret.startswith("whsec_")
    pages = [
        page(),
        page("sent/"),
        page(f"channels/{Channel.objects.get().pk}/"),
        jo.get("/t/acme/audit/").content.decode(),
    ]
    assert [text for text in pages if secret in text or "whsec_" in text] == []


@pytest.mark.parametrize("kind", ["webhook", "slack", "teams"])
def test_an_address_on_the_web_is_not_shown_again(
    tenant: Tenant, jo: Client, page: Callable[..., str], kind: str
) -> None:
    add(jo, kind, URL)
    pages = [
        page(),
        page("sent/"),
        page(f"channels/{Channel.objects.get().pk}/"),
        jo.get("/t/acme/audit/").content.decode(),
    ]
    assert [text for text in pages if "S3CRET" in text] == []
    assert "hooks.example.com" in pages[0]


@pytest.mark.parametrize(
    ("kind", "to"), [("email", "nobody"), ("webhook", "http://x.example/"), ("slack", "https://10.0.0.1/")]
)
def test_what_is_no_address_is_said_at_its_field(tenant: Tenant, jo: Client, kind: str, to: str) -> None:
    answer = add(jo, kind, to)
    assert answer.status_code == 422
    assert 'id="id_to-error"' in answer.content.decode()
    assert not Channel.objects.exists()


def test_a_kind_of_channel_that_is_not_known_is_no_page(tenant: Tenant, jo: Client) -> None:
    assert jo.get(f"{PAGE}channels/add/pigeon/").status_code == 404


def test_a_viewer_reads_and_changes_nothing(tenant: Tenant, viewer: User, client_of: Callable[[User], Client]) -> None:
    channel = mail_to(tenant)
    tom = client_of(viewer)
    text = tom.get(PAGE).content.decode()
    assert "ops@acme.example" in text
    assert "Send a test" not in text
    assert tom.post(f"{PAGE}channels/{channel.pk}/test/").status_code == 403


def test_a_test_is_shown_with_its_attempts_and_answers(
    tenant: Tenant, jo: Client, page: Callable[..., str], mailoutbox: list[Any]
) -> None:
    channel = mail_to(tenant)
    jo.post(f"{PAGE}channels/{channel.pk}/test/")
    assert "A test is on its way." in page()
    deliveries.deliver(Delivery.objects.get().pk)
    assert [mail.subject for mail in mailoutbox] == ["[Acme] Test"]
    text = page()
    assert "A test is on its way." not in text
    assert "Working" in text
    assert "1 attempt" in page("sent/")


def test_an_answer_is_text_and_nothing_else(tenant: Tenant, page: Callable[..., str]) -> None:
    channel = mail_to(tenant)
    delivery = Delivery.objects.create(
        tenant=tenant, channel=channel, recipient="x", subject="<b>s", body="b", attempts=1
    )
    evil = "<script>alert(1)</script>\x1b[31m"
    DeliveryAttempt.objects.create(
        delivery=delivery,
        number=1,
        at=delivery.created_at,
        milliseconds=1,
        status=500,
        answer=evil,
        error="it answered 500",
    )
    for text in (page(), page("sent/")):
        assert "<script>alert" not in text
        assert "\x1b" not in text
    assert "Failing" in page()


def test_what_we_said_ourselves_is_in_the_readers_language(tenant: Tenant, jo: Client) -> None:
    """Stored as it stands in the code: whoever removes the channel decides nothing about the next reader's language."""
    channel = mail_to(tenant)
    Delivery.objects.create(tenant=tenant, channel=channel, recipient="x", subject="s", body="b")
    german = {"Accept-Language": "de"}
    jo.post(f"{PAGE}channels/{channel.pk}/remove/", headers=german)
    assert Delivery.objects.get().error == "The channel was removed."
    assert "Der Kanal wurde entfernt." in jo.get(f"{PAGE}sent/", headers=german).content.decode()
    assert "The channel was removed." in jo.get(f"{PAGE}sent/").content.decode()


@pytest.mark.parametrize(("backend", "warned"), [("portal.deployment.json_logs.MailBackend", True), ("x.smtp", False)])
def test_mail_that_goes_nowhere_is_warned_of(
    tenant: Tenant, page: Callable[..., str], settings: LazySettings, backend: str, warned: bool
) -> None:
    settings.EMAIL_BACKEND = backend
    assert "E-mail goes nowhere" not in page()
    mail_to(tenant)
    assert ("E-mail goes nowhere" in page()) == warned


def test_a_channel_is_removed_after_a_question(tenant: Tenant, jo: Client) -> None:
    channel = mail_to(tenant)
    address = f"{PAGE}channels/{channel.pk}/remove/"
    assert "Remove the channel" in jo.get(address).content.decode()
    assert Channel.objects.exists()
    jo.post(address)
    assert not Channel.objects.exists()


def test_the_overview_says_when_no_channel_works(tenant: Tenant, jo: Client, mailoutbox: list[Any]) -> None:
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now())
    broken, other = mail_to(tenant), mail_to(tenant, "other@acme.example")
    said = "Nobody is told of problems"
    for channel, error in ((broken, "550"), (other, "551")):
        assert said not in jo.get("/t/acme/").content.decode()
        delivery = Delivery.objects.create(tenant=tenant, channel=channel, recipient="x", subject="s", body="b")
        DeliveryAttempt.objects.create(delivery=delivery, number=1, at=timezone.now(), milliseconds=1, error=error)
    assert said in jo.get("/t/acme/").content.decode()
