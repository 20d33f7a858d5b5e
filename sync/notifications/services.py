"""What others ask of notifications: channels, a test of one, and that somebody hears of it when nobody works."""

import base64
import datetime
import json
import secrets
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from sync import audit, queue
from sync.configuration import second_person
from sync.connection.outbound import check_destination
from sync.connection.sealed import channel_context
from sync.connection.sealing import seal
from sync.models import Channel, Delivery, Incident, IncidentEvent, Tenant
from sync.notifications import deliveries, endings, lateness, outbox
from sync.notifications.kinds import NAMES

EMAIL, WEBHOOK = Channel.Kind.EMAIL, Channel.Kind.WEBHOOK
FACTS = ("kind", "name", "on", "kinds", "email", "host")


def tell_without_workers() -> None:
    """That nobody works, and what else waits to be sent, from the process that notices it."""
    lateness.note_lateness()
    deliveries.deliver_here()


@transaction.atomic
def add_channel(
    *,
    tenant: Tenant,
    actor: str,
    kind: str,
    name: str = "",
    to: str,
    kinds: Sequence[str] = NAMES,
    on: bool = True,
) -> tuple[Channel, str]:
    """`to`: an e-mail address, or an address on the web. With the channel a new secret of a webhook, to be shown once.

    Raises ValidationError by field."""
    channel = Channel(tenant=tenant, kind=Channel.Kind(kind))
    secret = _set(channel, name, to, kinds, on=on)
    channel.save()
    audit.record(actor, "channel.add", channel, None, _visible(channel))
    return channel, secret


@transaction.atomic
def save_channel(*, channel: Channel, actor: str, name: str, to: str, kinds: Sequence[str], on: bool) -> str:
    """`to` "" keeps the address. Another address of a webhook gets another secret: it is returned, to be shown once.

    Raises ValidationError by field."""
    channel = Channel.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=channel.pk)
    before, sealed = _visible(channel), channel.sealed
    secret = _set(channel, name, to, kinds, on=on)
    moved = {"address": "changed"} if channel.sealed != sealed else {}
    if _visible(channel) != before or moved:
        channel.save()
        audit.record(actor, "channel.change", channel, before, _visible(channel) | moved)
    return secret


@transaction.atomic
def remove_channel(*, channel: Channel, actor: str) -> None:
    """What was sent to it stays in sight; what waits is not sent any more."""
    channel.deliveries.give_up(gettext_noop("The channel was removed."))
    audit.record(actor, "channel.remove", channel, _visible(channel), None)
    channel.delete()


@transaction.atomic
def send_test(*, channel: Channel, actor: str) -> Delivery:
    delivery = outbox.new_test(channel)
    audit.record(actor, "channel.test", channel, None, {"name": channel.name})
    transaction.on_commit(lambda: queue.send(queue.DELIVER, delivery.pk))
    return delivery


def write_to(*, tenant: Tenant, person: str, subject: str, paragraphs: Sequence[str]) -> Delivery:
    """A mail to one person, by no channel."""
    return outbox.new_mail(tenant, person, outbox.Message(subject, paragraphs))


def step_before_an_end(days: int) -> int | None:
    """The step of endings.STEPS that so many days left have come down to; None: nobody is told yet."""
    return endings.step_of(days) if 0 <= days <= endings.STEPS[-1] else None


@transaction.atomic
def mail_owners(title: str, paragraphs: Sequence[str]) -> None:
    """What everybody who may do everything is to know at once."""
    message = outbox.Message(f"[Lockstep] {title}", paragraphs)
    for address in second_person.people().owners():
        outbox.new_mail(None, address, message)


@transaction.atomic
def acknowledge(*, incident: Incident, actor: str) -> bool:
    """Somebody looks at it. Of two the first one does; nothing happens to what is over."""
    now = timezone.now()
    unseen = Incident.objects.filter(pk=incident.pk, solved_at=None, acknowledged_at=None)
    if not unseen.update(acknowledged_at=now, acknowledged_by=actor, snoozed_until=None):
        return False
    IncidentEvent.objects.create(incident=incident, at=now, what=IncidentEvent.What.ACKNOWLEDGED, actor=actor)
    audit.record(actor, "incident.acknowledge", incident, None, {"code": incident.code})
    return True


@transaction.atomic
def snooze(*, incident: Incident, actor: str, until: datetime.datetime) -> bool:
    """It does not ring until then."""
    if not Incident.objects.filter(pk=incident.pk, solved_at=None).update(snoozed_until=until):
        return False
    now = timezone.now()
    IncidentEvent.objects.create(incident=incident, at=now, what=IncidentEvent.What.SNOOZED, actor=actor, until=until)
    audit.record(actor, "incident.snooze", incident, None, {"code": incident.code, "until": until})
    return True


@transaction.atomic
def set_mail_address(*, tenant: Tenant, actor: str, email: str, on: bool) -> None:
    """Of the first e-mail channel, as a tenant file names it; without an address there is none, or it is off."""
    channel = mail_channel(tenant)
    if channel is None and email:
        add_channel(tenant=tenant, actor=actor, kind=EMAIL, to=email, on=on)
    elif channel is not None:
        save_channel(channel=channel, actor=actor, name=email, to=email, kinds=channel.kinds, on=on and bool(email))


def mail_channel(tenant: Tenant) -> Channel | None:
    return tenant.channels.filter(kind=EMAIL).first()


def _set(channel: Channel, name: str, to: str, kinds: Sequence[str], *, on: bool) -> str:
    channel.on, channel.kinds = on, [kind for kind in NAMES if kind in kinds]
    secret = ""
    if channel.kind == EMAIL:
        channel.email = _checked_email(to) if to else channel.email
    elif to or not channel.sealed:
        secret = _seal_address(channel, to)
    channel.name = name.strip() or channel.name or channel.destination[:100]
    return secret


def _checked_email(address: str) -> str:
    try:
        validate_email(address)
    except ValidationError as error:
        raise ValidationError({"to": error.messages}) from error
    return address


def _seal_address(channel: Channel, url: str) -> str:
    """Its new secret, of a webhook."""
    try:
        channel.host = check_destination(url)
    except ValueError as error:
        raise ValidationError({"to": [str(error)]}) from error
    secret = new_secret() if channel.kind == WEBHOOK else ""
    channel.sealed = seal(json.dumps({"url": url, "secret": secret}), channel_context(channel))
    return secret


def new_secret() -> str:
    """Standard Webhooks, "Symmetric": 24 to 64 random bytes."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _visible(channel: Channel) -> dict[str, Any]:
    return {name: getattr(channel, name) for name in FACTS}
