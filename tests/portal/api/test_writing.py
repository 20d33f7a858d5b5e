"""What a script starts, cancels and decides."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from portal.api import holds, runs
from portal.models import Role, User
from sync.approvals import services as approvals
from sync.models import AuditEntry, ChangeRequest, HeldChange, Hold, Run, Tenant
from sync.runs.requests import cancel_run
from tests.world.api import Script, script_of
from tests.world.drafted import with_draft, with_versions
from tests.world.people import person
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def script(owner: User) -> Script:
    return script_of(owner)


@pytest.fixture
def on(tenant: Tenant) -> Tenant:
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now())
    tenant.refresh_from_db()
    return tenant


def body(answer: Any) -> Any:
    return answer.json()


def test_a_sync_is_started_once_however_often_it_is_asked_for(on: Tenant, script: Script) -> None:
    answers = [script.post("/tenants/acme/runs", {"kind": "full"}) for _ in range(2)]
    assert [one.status_code for one in answers] == [202, 202]
    run = Run.objects.get()
    assert (run.kind, run.trigger, run.requested_by) == ("full", "api", "jo@acme.example")
    assert script.client.get(answers[0]["Location"]).json()["number"] == run.number


def test_another_run_in_the_way_is_named(on: Tenant, script: Script) -> None:
    new_run(on, 1, kind="preview", state="running")
    answer = script.post("/tenants/acme/runs", {"kind": "full"})
    assert (answer.status_code, body(answer)["code"], body(answer)["run"]) == (409, "busy", 1)


def test_nothing_is_started_while_provisioning_is_off(tenant: Tenant, script: Script) -> None:
    answer = script.post("/tenants/acme/runs")
    assert (answer.status_code, body(answer)["code"]) == (409, "provisioning-off")
    assert not Run.objects.exists()


def test_a_preview_needs_a_connection_that_passed_its_test(tenant: Tenant, script: Script) -> None:
    answer = script.post("/tenants/acme/runs", {"kind": "preview"})
    assert (answer.status_code, body(answer)["code"]) == (409, "not-tested")


def test_a_draft_is_previewed_while_it_changes_something(ready: Tenant, script: Script) -> None:
    with_versions(ready)
    answer = script.post("/tenants/acme/draft/preview")
    assert (answer.status_code, body(answer)["code"]) == (409, "nothing-to-preview")
    with_draft(ready)
    answer = script.post("/tenants/acme/draft/preview")
    assert (answer.status_code, body(answer)["kind"]) == (202, "preview")


def test_a_run_is_cancelled_by_whoever_saw_it_as_it_is(on: Tenant, script: Script) -> None:
    run = new_run(on, 1, state="running")
    assert script.post("/tenants/acme/runs/1/cancel").status_code == 428
    etag = script.get("/tenants/acme/runs/1")["ETag"]
    run.sequence += 1
    run.save()
    assert script.post("/tenants/acme/runs/1/cancel", If_Match=etag).status_code == 412
    answer = script.post("/tenants/acme/runs/1/cancel", If_Match="*")
    assert (answer.status_code, body(answer)["state"]) == (202, "cancelling")
    Run.objects.update(state="completed")
    assert body(script.post("/tenants/acme/runs/1/cancel", If_Match="*"))["code"] == "over"


@pytest.mark.parametrize(("named", "status"), [("the ETag", 412), ("*", 202)])
def test_a_run_that_goes_on_while_it_is_cancelled_is_cancelled_only_if_that_does_not_matter(
    on: Tenant, script: Script, monkeypatch: pytest.MonkeyPatch, named: str, status: int
) -> None:
    run = new_run(on, 1, state="running")
    after_the_check(monkeypatch, runs, lambda: Run.objects.filter(pk=run.pk).update(sequence=F("sequence") + 1))
    named = script.get("/tenants/acme/runs/1")["ETag"] if named != "*" else "*"
    answer = script.post("/tenants/acme/runs/1/cancel", If_Match=named)
    assert answer.status_code == status
    run.refresh_from_db()
    assert run.state == ("cancelling" if status == 202 else "running")
    if status == 412:
        assert answer["ETag"] == script.get("/tenants/acme/runs/1")["ETag"] != named


@pytest.mark.parametrize("state", ["queued", "running"])
def test_of_two_who_cancel_at_once_one_does(
    on: Tenant, script: Script, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    run = new_run(on, 1, state=state)
    after_the_check(monkeypatch, runs, lambda: cancel_run(run=run, actor="tom@acme.example"))
    etag = script.get("/tenants/acme/runs/1")["ETag"]
    assert script.post("/tenants/acme/runs/1/cancel", If_Match=etag).status_code == 412
    assert [entry.actor for entry in AuditEntry.objects.filter(verb="run.cancel")] == ["tom@acme.example"]


def after_the_check(monkeypatch: pytest.MonkeyPatch, module: Any, act: Callable[[], object]) -> None:
    """Somebody else is that quick, once."""
    check, acts = module.require_match, [act]

    def late(request: Any, etag: str) -> None:
        check(request, etag)
        while acts:
            acts.pop()()

    monkeypatch.setattr(module, "require_match", late)


@pytest.fixture
def hold(on: Tenant) -> Hold:
    run = new_run(on, 1, state="waiting_for_approval")
    Tenant.objects.update(last_run_number=1)
    found = Hold.objects.create(tenant=on, kind="people", run=run, facts={"limit": 2})
    for name in ("Ann", "Ben", "Cem"):
        facts = {"action": "disable", "object_type": "user", "object_id": name * 12, "display_name": name}
        HeldChange.objects.create(hold=found, tenant=on, **facts)
    return found


@pytest.fixture
def approver(on: Tenant) -> Script:
    return script_of(person("ola@acme.example", Role.APPROVER, on))


def decide(script: Script, hold: Hold, decision: dict[str, Any], etag: str = "") -> Any:
    path = f"/tenants/acme/holds/{hold.pk}"
    return script.post(f"{path}/decisions", decision, If_Match=etag or script.get(path)["ETag"])


def test_what_is_held_is_listed_by_name(hold: Hold, approver: Script) -> None:
    [found] = approver.read("/tenants/acme/holds")["items"]
    assert (found["limit"], found["waiting"], found["total"]) == (2, 3, 3)
    changes = approver.all_of(f"/tenants/acme/holds/{hold.pk}/changes", limit=2)
    assert [(one["name"], one["decision"]) for one in changes] == [(n, "waiting") for n in ("Ann", "Ben", "Cem")]


def test_some_are_approved_and_some_are_kept(hold: Hold, approver: Script) -> None:
    ann, ben, cem = HeldChange.objects.order_by("pk")
    answer = decide(approver, hold, {"approve": "all", "keep": [ben.pk], "comment": "They left."})
    assert (answer.status_code, body(answer)["approved"], body(answer)["kept"]) == (200, 2, 1)
    assert body(answer)["run"] == Run.objects.get(trigger="approval").number
    decisions = HeldChange.objects.order_by("pk").values_list("decision", "decided_by", "comment")
    assert list(decisions) == [(one, "ola@acme.example", "They left.") for one in ("approved", "kept", "approved")]
    assert ann.pk < cem.pk


def test_whatever_came_after_the_reading_is_not_decided_on_unseen(hold: Hold, approver: Script) -> None:
    seen = approver.get(f"/tenants/acme/holds/{hold.pk}")["ETag"]
    HeldChange.objects.create(hold=hold, tenant=hold.tenant, action="disable", object_type="user", object_id="d" * 36)
    assert decide(approver, hold, {"approve": "all"}, seen).status_code == 412
    assert approver.post(f"/tenants/acme/holds/{hold.pk}/decisions", {"approve": "all"}).status_code == 428
    assert set(HeldChange.objects.values_list("decision", flat=True)) == {"waiting"}


def test_whoever_is_held_while_it_is_decided_waits(
    hold: Hold, approver: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = {"action": "disable", "object_type": "user", "object_id": "d" * 36}
    after_the_check(monkeypatch, holds, lambda: HeldChange.objects.create(hold=hold, tenant=hold.tenant, **facts))
    assert body(decide(approver, hold, {"approve": "all"}))["approved"] == 3
    assert HeldChange.objects.get(object_id="d" * 36).decision == "waiting"


def test_of_two_who_decide_at_once_the_second_has_not_seen_it(
    hold: Hold, approver: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one keeps, a moment before this one's decision gets its turn."""
    lock, ann = approvals.lock, HeldChange.objects.earliest("pk")

    def wait_for_the_other(found: Hold) -> None:
        approvals.decide_hold(hold=found, actor="jo@acme.example", keep=[ann.pk])
        lock(found)

    monkeypatch.setattr(approvals, "lock", wait_for_the_other)
    assert decide(approver, hold, {"approve": "all"}).status_code == 412
    assert not HeldChange.objects.filter(decision="approved").exists()


def test_an_etag_counts_though_compression_marked_it_weak(hold: Hold, approver: Script) -> None:
    seen = approver.get(f"/tenants/acme/holds/{hold.pk}")["ETag"]
    assert decide(approver, hold, {"approve": "all"}, f"W/{seen}").status_code == 200


def test_a_comment_with_a_control_character_is_refused(hold: Hold, approver: Script) -> None:
    assert decide(approver, hold, {"approve": "all", "comment": "a\x00b"}).status_code == 422
    assert decide(approver, hold, {"approve": "all", "comment": "Line 1\r\n\tLine 2"}).status_code == 200


@pytest.mark.parametrize("decision", [{}, {"approve": [10**6]}, {"keep": [10**6]}, {"approve": []}])
def test_what_does_not_wait_is_refused_altogether(hold: Hold, approver: Script, decision: dict[str, Any]) -> None:
    answer = decide(approver, hold, decision)
    assert (answer.status_code, body(answer)["code"]) == (409, "not-held")


def test_nobody_approves_what_comes_of_the_own_edit(hold: Hold, approver: Script) -> None:
    pia = person("pia@acme.example", Role.APPROVER, hold.tenant)
    HeldChange.objects.update(caused_by=["ola@acme.example"])
    User.objects.filter(pk=pia.pk).update(last_login=timezone.now())
    answer = decide(approver, hold, {"approve": "all"})
    assert (answer.status_code, body(answer)["code"]) == (409, "own-change")
    assert body(answer)["people"] == ["pia@acme.example"]
    assert decide(approver, hold, {"keep": [HeldChange.objects.earliest("pk").pk]}).status_code == 200


def test_where_nobody_else_could_approve_it_waits_for_its_delay(hold: Hold, approver: Script) -> None:
    HeldChange.objects.update(caused_by=["ola@acme.example"])
    answer = decide(approver, hold, {"approve": "all"})
    assert (answer.status_code, body(answer)["approved"], body(answer)["run"]) == (200, 0, None)
    assert body(answer)["request"] == ChangeRequest.objects.get().pk


def test_a_hold_of_another_tenant_is_none(hold: Hold, approver: Script) -> None:
    other = Tenant.objects.create(name="Other", slug="other")
    Hold.objects.update(tenant=other)
    assert approver.get(f"/tenants/acme/holds/{hold.pk}").status_code == 404
