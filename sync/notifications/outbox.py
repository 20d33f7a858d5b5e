"""What is new about incidents becomes a delivery for each channel that wants to hear of it."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from sync.models import Channel, Delivery, Incident, Run, Tenant
from sync.problems.catalogue import PROBLEMS
from sync.problems.languages import language_of


class Event(StrEnum):
    OPENED = "opened"
    CHANGED = "changed"
    SOLVED = "solved"


@dataclass(frozen=True, slots=True)
class News:
    """`objects`: how many people and groups have it; 0 when it is about nobody in particular."""

    incident: Incident
    event: Event
    objects: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """For people."""

    subject: str
    paragraphs: Sequence[str]


Compose = Callable[[Sequence[News]], Message]


def tell(news: Sequence[News], compose: Compose, run: Run | None = None) -> None:
    """One message to each address for all that it hears of, of several tenants too; a webhook gets one for each."""
    for channel, heard in _by_address(news):
        with language_of(channel.email):
            if channel.kind == Channel.Kind.WEBHOOK:
                for one in heard:
                    _write(channel, [one], _of_webhook(one, run), run)
            else:
                _write(channel, heard, compose(heard), run)


def _by_address(news: Sequence[News]) -> Iterable[tuple[Channel, list[News]]]:
    if not news:
        return []
    found: dict[str | int, tuple[Channel, list[News]]] = {}
    tenants = {one.incident.tenant_id for one in news}
    for channel in Channel.objects.filter(tenant__in=tenants, on=True).select_related("tenant"):
        if here := [one for one in news if _hears(channel, one.incident)]:
            _channel, heard = found.setdefault(channel.email or channel.pk, (channel, []))
            heard += [one for one in here if one not in heard]
    return list(found.values())


def _hears(channel: Channel, incident: Incident) -> bool:
    return channel.tenant_id == incident.tenant_id and incident.kind in channel.kinds


def _write(channel: Channel, heard: Sequence[News], message: Message, run: Run | None) -> None:
    delivery = new_delivery(channel, message, run)
    delivery.incidents.set([one.incident for one in heard])


def new_delivery(channel: Channel, message: Message, run: Run | None = None) -> Delivery:
    return Delivery.objects.create(
        tenant=channel.tenant, channel=channel, run=run, recipient=channel.destination, **_texts(message)
    )


def new_mail(tenant: Tenant | None, recipient: str, message: Message) -> Delivery:
    """To somebody, for whom there is no channel. `tenant`: None for what no tenant has."""
    return Delivery.objects.create(tenant=tenant, recipient=recipient, **_texts(message))


def _texts(message: Message) -> dict[str, str]:
    # A line break would be another header of a mail.
    return {"subject": " ".join(message.subject.split())[:250], "body": "\n\n".join(message.paragraphs)}


def new_test(channel: Channel) -> Delivery:
    """A message that says that messages arrive."""
    name = channel.tenant.name
    if channel.kind == Channel.Kind.WEBHOOK:
        return new_delivery(channel, Message("test", [_payload("test", {"tenant": _of_tenant(channel.tenant)})]))
    page = address_of("notifications", channel.tenant.slug)
    with language_of(channel.email):
        sentence = _("Notifications of %(name)s arrive here.") % {"name": name}
        return new_delivery(channel, Message(f"[{name}] {_('Test')}", [sentence, page]))


def _of_webhook(news: News, run: Run | None) -> Message:
    kind = f"incident.{news.event}"
    return Message(kind, [_payload(kind, {"tenant": _of_tenant(news.incident.tenant), **_facts(news, run)})])


def _payload(kind: str, data: dict[str, Any]) -> str:
    """Standard Webhooks, "Payload structure". No person is named."""
    return json.dumps({"type": kind, "timestamp": timezone.now().isoformat(), "data": data}, ensure_ascii=False)


def _of_tenant(tenant: Tenant) -> dict[str, str]:
    return {"slug": tenant.slug, "name": tenant.name}


def _facts(news: News, run: Run | None) -> dict[str, Any]:
    incident = news.incident
    words = PROBLEMS.get(incident.code)
    return {
        "incident": {
            "id": incident.pk,
            "kind": incident.kind,
            "code": incident.code,
            "attribute": incident.attribute,
            "title": str(words.title) if words else incident.code,
            "remedy": str(words.remedy) if words else "",
            "objects": news.objects,
            "opened_at": incident.opened_at.isoformat(),
            "url": address_of("incident", incident.tenant.slug, incident.pk),
            "solved_at": incident.solved_at.isoformat() if incident.solved_at else None,
        },
        "run": run.number if run else None,
    }


def address_of(page: str, *arguments: object) -> str:
    return f"{settings.PUBLIC_URL}{reverse(page, args=arguments)}"
