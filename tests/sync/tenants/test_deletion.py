"""A deleted tenant is gone at once, its rows soon after, and nothing of anybody else's; AWS keeps what it has."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils import timezone

from sync import queue
from sync.connection.sealing import seal
from sync.models import (
    AuditEntry,
    AwsConnection,
    Channel,
    Delivery,
    EntraConnection,
    Link,
    Operation,
    Run,
    SecondCredential,
    Standing,
    Tenant,
)
from sync.notifications import deliveries
from sync.tenants import deletion
from sync.tenants.services import CannotDelete, create_tenant, delete_tenant
from tests.world.tenant import ACTOR

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def off(every_standing: Tenant) -> Tenant:
    Tenant.objects.filter(pk=every_standing.pk).update(enabled=False)
    every_standing.runs.filter(state__in=Run.OPEN).update(state="completed")
    return every_standing


def rows_of(tenant_id: int) -> dict[str, int]:
    """Of every table with a tenant, but the audit log's."""
    models = [
        one
        for one in apps.get_models()
        if one is not AuditEntry and any(field.related_model is Tenant for field in one._meta.concrete_fields)
    ]
    found = {one.__name__: one._base_manager.filter(tenant=tenant_id).count() for one in models}
    return {name: count for name, count in found.items() if count}


def test_nobody_sees_it_from_then_on_and_its_name_is_free(off: Tenant) -> None:
    name, slug = off.name, off.slug
    delete_tenant(tenant=off, actor=ACTOR)
    assert not Tenant.objects.exists()
    assert create_tenant(actor=ACTOR, name=name).slug == slug


def test_its_secrets_are_gone_before_any_worker_comes(off: Tenant) -> None:
    Channel.objects.create(tenant=off, kind="webhook", sealed=seal("{}", "channel"))
    delete_tenant(tenant=off, actor=ACTOR)
    for model in (EntraConnection, AwsConnection, SecondCredential, Channel):
        assert not model.objects.exists(), model


def test_what_waits_for_a_channel_of_it_is_not_sent(off: Tenant, mailoutbox: list[Any]) -> None:
    """Without its channel a webhook's message would be taken for a mail."""
    hook = Channel.objects.create(tenant=off, kind="webhook", sealed=seal("{}", "channel"))
    Delivery.objects.create(tenant=off, channel=hook, recipient="hooks.example", subject="s", body="{}")
    Delivery.objects.create(tenant=off, recipient="ops@acme.example", subject="s", body="b")
    delete_tenant(tenant=off, actor=ACTOR)
    deliveries.deliver_here()
    assert mailoutbox == []
    assert set(Delivery.objects.values_list("state", flat=True)) <= {"failed", "sent"}


def test_a_worker_deletes_every_row_of_it_and_none_of_another(off: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "SLICE", 3)
    other = create_tenant(actor=ACTOR, name="Other")
    run = Run.objects.create(tenant=other, number=1, kind="full", trigger="person", state="completed")
    Operation.objects.create(
        tenant=other, run=run, object_type="user", object_id="a", action="create", result="created"
    )
    theirs = rows_of(other.pk)
    assert {"Operation", "Configuration", "EntraConnection"} <= theirs.keys()
    assert {"Standing", "Link", "Drift", "Run", "DirectoryUser"} <= rows_of(off.pk).keys()
    delete_tenant(tenant=off, actor=ACTOR)
    deletion.carry_out(off.pk)
    assert rows_of(off.pk) == {}
    assert not Tenant.deleted_too.filter(pk=off.pk).exists()
    assert rows_of(other.pk) == theirs


def test_the_audit_log_keeps_everything_and_its_chain_holds(off: Tenant) -> None:
    create_tenant(actor=ACTOR, name="Other")
    delete_tenant(tenant=off, actor=ACTOR)
    deletion.carry_out(off.pk)
    entry = AuditEntry.objects.get(verb="tenant.delete")
    assert (entry.actor, entry.tenant_slug, entry.tenant_id) == (ACTOR, "acme", off.pk)
    call_command("audit_verify", stdout=io.StringIO())


def test_what_stays_in_aws_are_those_that_it_holds(off: Tenant) -> None:
    linked = Link.objects.filter(tenant=off, object_type="user").exclude(scim_id="").count()
    gone = Standing.objects.filter(tenant=off, kind="user", word="gone").exclude(scim_id="").count()
    delete_tenant(tenant=off, actor=ACTOR)
    before = AuditEntry.objects.get(verb="tenant.delete").before
    assert before is not None
    assert before["people"] == linked - gone > 0


@pytest.mark.parametrize("reason", ["on", "running"])
def test_while_it_is_on_or_a_run_is_open_it_stays(off: Tenant, reason: str) -> None:
    if reason == "on":
        Tenant.objects.update(enabled=True)
    else:
        Run.objects.create(tenant=off, number=99, kind="full", trigger="person", state="running")
    with pytest.raises(CannotDelete) as refused:
        delete_tenant(tenant=off, actor=ACTOR)
    assert refused.value.reason == reason
    assert EntraConnection.objects.filter(tenant=off).exists()


def test_what_a_dying_worker_left_is_deleted_by_the_next(off: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(queue, "send", lambda task, key: sent.append(key) if task == queue.DELETE_TENANT else None)
    delete_tenant(tenant=off, actor=ACTOR)
    deletion.send_due()
    deletion.send_due()
    assert sent == [off.pk], "not again while it may be at work"
    Standing.objects.filter(tenant=off).delete()
    Tenant.deleted_too.update(deletion_due_at=timezone.now() - timedelta(seconds=1))
    deletion.send_due()
    assert sent == [off.pk] * 2
    for _twice in range(2):
        deletion.carry_out(off.pk)
    assert rows_of(off.pk) == {}


def test_a_tenant_that_nobody_deleted_is_left_alone_by_the_task(off: Tenant) -> None:
    before = rows_of(off.pk)
    deletion.carry_out(off.pk)
    assert rows_of(off.pk) == before


def command(*words: str) -> Any:
    out = io.StringIO()
    call_command("tenant_delete", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_the_command_wants_the_name_twice_and_says_what_stays(off: Tenant) -> None:
    for confirmed in ((), ("--confirm", "other")):
        with pytest.raises(CommandError, match="--confirm acme") as refused:
            command("acme", *confirmed)
        assert refused.value.returncode == 2
    assert Tenant.objects.exists()
    said = command("acme", "--confirm", "acme")
    assert (said["tenant"], said["deleted"]) == ("acme", True)
    assert said["stays_in_aws"]["people"] > 0
    assert not Tenant.objects.exists()


def test_the_command_says_what_to_do_first(off: Tenant) -> None:
    Tenant.objects.update(enabled=True)
    with pytest.raises(CommandError, match="turn_off acme"):
        command("acme", "--confirm", "acme")
