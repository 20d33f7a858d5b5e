"""Mapping rows in whole runs: what the lab's AWS holds afterwards, and what the log shows."""

import json
from typing import Any

import pytest

from sync.configuration import mappings
from sync.configuration.settings import set_settings
from sync.drift.comparison import Looked
from sync.models import Operation, Tenant
from sync.rules.rows import MappingRow
from tests.world.company import aws_group, aws_user, group_of, hire
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
RICH = {
    "givenName": "Ada",
    "surname": "Lovelace",
    "userPrincipalName": "ada@acme.example",
    "mail": "ada.lovelace@acme.example",
    "mailNickname": "adal",
    "jobTitle": "Analyst",
    "preferredLanguage": "en-GB",
    "officeLocation": "Tower 3",
    "streetAddress": "12 St James's Square",
    "city": "London",
    "state": "LND",
    "postalCode": "SW1Y",
    "country": "GB",
    "businessPhones": ["+44 20 1", "+44 20 2"],
    "employeeId": "E-1815",
    "department": "Engines",
}
# What each row of the template gives for her, under Microsoft's reference (field of AWS's answer: value).
EXPECTED = {
    "userName": "ada@acme.example",
    "active": True,
    "displayName": "Ada Lovelace",
    "title": "Analyst",
    "emails": [{"value": "ada.lovelace@acme.example", "type": "work", "primary": True}],
    "preferredLanguage": "en-GB",
    "name": {"givenName": "Ada", "familyName": "Lovelace", "formatted": "Ada Lovelace"},
    "addresses": [
        {
            "type": "work",
            "formatted": "Tower 3",
            "streetAddress": "12 St James's Square",
            "locality": "London",
            "region": "LND",
            "postalCode": "SW1Y",
            "country": "GB",
        }
    ],
    "phoneNumbers": [{"value": "+44 20 1", "type": "work"}],
}


def save(tenant: Tenant, target: str, **facts: Any) -> None:
    """A row of people, added or changed."""
    tenant.refresh_from_db()
    configuration = tenant.configurations.draft() or tenant.configurations.current()
    row = configuration.mappings.filter(object_type="user", target=target).first()
    rule = MappingRow(target=target, **facts)
    mappings.save_mapping(actor=ACTOR, tenant=tenant, object_type="user", rule=rule, row=row)


def person_in_aws(lab: Lab, name: str) -> dict[str, Any]:
    return next(user for user in lab.aws()["users"] if user["userName"] == name)


def the_log(person: dict[str, Any]) -> Operation:
    return Operation.objects.filter(object_id=person["id"]).latest("pk")


def test_every_row_of_the_template_and_of_our_preset_arrives_in_aws(wired: Tenant, lab: Lab) -> None:
    boss = hire(lab, "Charles Babbage", givenName="Charles", surname="Babbage")
    ada = hire(lab, "Ada Lovelace", **RICH, manager=boss["id"])
    group = group_of(lab, "Engines", [ada])
    assign(wired, boss, ada, group)
    # The preset first: externalId from objectId, no mobile, no fax.
    sync(wired)
    held = person_in_aws(lab, "ada@acme.example")
    assert {name: held[name] for name in EXPECTED} == EXPECTED
    assert held["externalId"] == ada["id"]
    manager = aws_user(lab, boss["id"])["id"]
    assert held[ENTERPRISE] == {"employeeNumber": "E-1815", "department": "Engines", "manager": {"value": manager}}
    in_aws = aws_group(lab, "Engines")
    assert (in_aws["externalId"], in_aws["members"]) == (group["id"], [held["id"]])
    # The template itself: mailNickname for externalId.
    mappings.reset_mappings(actor=ACTOR, tenant=wired, object_type="user")
    sync(wired)
    assert person_in_aws(lab, "ada@acme.example")["externalId"] == "adal"


@pytest.mark.parametrize("row", ["mobilePhone", "faxNumber"])
def test_a_second_phone_row_of_the_template_makes_aws_refuse_the_person(wired: Tenant, lab: Lab, row: str) -> None:
    mappings.reset_mappings(actor=ACTOR, tenant=wired, object_type="user")
    ada = hire(lab, "Ada Lovelace", **RICH | {"userPrincipalName": f"{row}@acme.example", row: "+44 7 1"})
    assign(wired, ada)
    sync(wired)
    refused = the_log(ada)
    assert (refused.result, refused.problem, refused.attribute) == ("skipped", "too-many-values", "phoneNumbers")
    assert refused.error == "List attribute phoneNumbers exceeds allowed limit of 1"
    assert lab.aws()["users"] == []


def test_none_leaves_what_aws_holds_and_fills_what_is_empty(wired: Tenant, lab: Lab) -> None:
    ada = hire(lab, "Ada Lovelace", **RICH)
    lab.call("POST", "aws/users", {"userName": RICH["userPrincipalName"], "displayName": "By hand", "title": "Countess", "name": {"givenName": "Ada", "familyName": "L"}})  # fmt: skip
    save(wired, "title", kind="none", source="", default="Clerk")
    save(wired, "nickName", kind="none", source="", default="Dear")
    wired.adoption = "match"
    wired.save()
    assign(wired, ada)
    sync(wired)
    held = person_in_aws(lab, "ada@acme.example")
    assert (held["title"], held["nickName"], held["displayName"]) == ("Countess", "Dear", "Ada Lovelace")
    lab.call("PATCH", f"entra/users/{ada['id']}", {"jobTitle": "Chief"})
    sync(wired)
    assert person_in_aws(lab, "ada@acme.example")["title"] == "Countess"


def test_a_comparison_with_aws_leaves_none_rows_alone() -> None:
    rules = [
        MappingRow("title", "none", "", default="Clerk"),
        MappingRow("nickName", "direct", "surname"),
    ]
    assert Looked.at(rules, current=True).units == {"nickName"}


def test_nobody_is_created_while_creating_is_off(wired: Tenant, lab: Lab) -> None:
    ada = hire(lab, "Ada Lovelace", **RICH)
    assign(wired, ada)
    set_settings(actor=ACTOR, tenant=wired, user_actions=["update", "disable"])
    run = sync(wired)
    skipped = the_log(ada)
    assert (skipped.result, skipped.problem, run.state) == ("skipped", "create-off", "completed")
    assert lab.aws()["users"] == []
    set_settings(actor=ACTOR, tenant=wired, user_actions=["create"])
    sync(wired)
    assert person_in_aws(lab, "ada@acme.example")["title"] == "Analyst"


def test_with_update_and_disable_off_a_change_and_a_leaver_are_left_alone(wired: Tenant, lab: Lab) -> None:
    ada = hire(lab, "Ada Lovelace", **RICH)
    assign(wired, ada)
    sync(wired)
    set_settings(actor=ACTOR, tenant=wired, user_actions=["create"])
    lab.call("PATCH", f"entra/users/{ada['id']}", {"jobTitle": "Chief"})
    assert sync(wired).planned == 0
    lab.call("POST", f"entra/users/{ada['id']}/leave")
    assert sync(wired).planned == 0
    held = person_in_aws(lab, "ada@acme.example")
    assert (held["title"], held["active"]) == ("Analyst", True)
    set_settings(actor=ACTOR, tenant=wired, user_actions=["disable"])
    sync(wired)
    held = person_in_aws(lab, "ada@acme.example")
    assert (held["title"], held["active"]) == ("Analyst", False)


def test_an_object_that_a_rule_leaves_alone_is_skipped_and_no_error(wired: Tenant, lab: Lab) -> None:
    ada = hire(lab, "Ada Lovelace", **RICH)
    save(wired, "title", kind="expression", source='IIF([jobTitle] = "Analyst", IgnoreObjectFlow, [jobTitle])')
    assign(wired, ada)
    run = sync(wired)
    skipped = the_log(ada)
    assert (skipped.result, skipped.problem, run.state) == ("skipped", "ignored-by-rule", "completed")
    assert lab.aws()["users"] == []


def test_two_people_in_one_run_get_different_unique_values(wired: Tenant, lab: Lab) -> None:
    first = hire(lab, "Ada Lovelace", **RICH | {"userPrincipalName": "one@acme.example", "mail": None})
    second = hire(lab, "Ada Lovelace", **RICH | {"userPrincipalName": "two@acme.example", "mail": None})
    expression = 'SelectUniqueValue(Append([givenName], "@acme.example"), [userPrincipalName])'
    save(wired, 'emails[type eq "work"].value', kind="expression", source=expression, apply="create")
    assign(wired, first, second)
    sync(wired)
    mails = {aws_user(lab, one["id"])["emails"][0]["value"] for one in (first, second)}
    assert mails in ({"Ada@acme.example", "two@acme.example"}, {"Ada@acme.example", "one@acme.example"})
    third = hire(lab, "Ada Lovelace", **RICH | {"userPrincipalName": "three@acme.example", "mail": None})
    assign(wired, third)
    sync(wired)
    assert aws_user(lab, third["id"])["emails"][0]["value"] == "three@acme.example"


def test_a_redacted_value_reaches_aws_and_no_log(wired: Tenant, lab: Lab) -> None:
    ada = hire(lab, "Ada Lovelace", **RICH | {"jobTitle": "Top-Secret-Title"})
    save(wired, "title", kind="expression", source="Redact([jobTitle])")
    assign(wired, ada)
    sync(wired)
    assert person_in_aws(lab, "ada@acme.example")["title"] == "Top-Secret-Title"
    lab.call("PATCH", f"entra/users/{ada['id']}", {"department": "Looms"})
    sync(wired)
    rows = list(Operation.objects.filter(object_id=ada["id"]).order_by("pk"))
    assert [row.action for row in rows] == ["create", "update"]
    for row in rows:
        logged = json.dumps([row.changes, row.request, row.answer, row.error])
        assert "Top-Secret-Title" not in logged
    assert rows[0].changes["title"]["after"] == "[Redact]"
    assert rows[0].request["body"]["title"] == "[Redact]"


def test_guests_are_called_in_aws_what_the_setting_says(wired: Tenant, lab: Lab) -> None:
    guest = hire(lab, "Sam Guest", userType="Guest", userPrincipalName="sam_mail.example#EXT#@acme.onmicrosoft.com", mail="sam@other.example")  # fmt: skip
    set_settings(actor=ACTOR, tenant=wired, guest_user_name="mail")
    assign(wired, guest)
    sync(wired)
    assert aws_user(lab, guest["id"])["userName"] == "sam@other.example"
    set_settings(actor=ACTOR, tenant=wired, guest_user_name="invited")
    sync(wired)
    assert aws_user(lab, guest["id"])["userName"] == "sam@mail.example"
