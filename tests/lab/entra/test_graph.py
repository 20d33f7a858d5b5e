"""Entra's token endpoint and Graph's directory reads, asked by msal and by plain HTTPS, held against Microsoft's own schema."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import msal
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.world.lab import Lab

pytestmark = pytest.mark.company(450)

SCHEMA = json.loads((Path(__file__).parents[2] / "samples" / "graph-schema.json").read_text())
EVENTUAL = {"ConsistencyLevel": "eventual"}


class Session(requests.Session):
    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = lab.facts["ca_file"]


def sign_in(lab: Lab, credential: Any = None, **other: str) -> dict[str, Any]:
    facts = lab.facts | other
    with Session(lab) as session:
        app = msal.ConfidentialClientApplication(
            facts["client_id"],
            client_credential=credential or facts["client_secret"],
            authority=f"{facts['authority']}/{facts['directory_id']}",
            instance_discovery=False,
            http_client=session,
        )
        found: dict[str, Any] = app.acquire_token_for_client([f"{facts['graph']}/.default"])
        return found


@pytest.fixture
def get(lab: Lab) -> Iterator[Any]:
    """GET under /v1.0 with a fresh token: (status, body)."""
    token = sign_in(lab)["access_token"]
    with Session(lab) as session:

        def read(path: str, **headers: str) -> tuple[int, Any]:
            url = path if path.startswith("https:") else f"{lab.facts['graph']}/v1.0{path}"
            answer = session.get(url, headers={"Authorization": f"Bearer {token}", **headers}, timeout=20)
            return answer.status_code, answer.json()

        yield read


def rounds(get: Any, url: str) -> tuple[list[Any], str]:
    """All items of a delta round, and the link of the next one."""
    items: list[Any] = []
    while True:
        status, page = get(url)
        assert status == 200, page
        assert not ("@odata.nextLink" in page and "@odata.deltaLink" in page)
        items += page["value"]
        if "@odata.deltaLink" in page:
            return items, page["@odata.deltaLink"]
        url = page["@odata.nextLink"]


@cache
def validator(kind: str) -> Any:
    """Made once: checking the schema itself takes a second."""
    schema = {"$ref": f"#/$defs/microsoft.graph.{kind}", "$defs": SCHEMA["$defs"]}
    return jsonschema.Draft202012Validator(schema)


def fits(kind: str, body: dict[str, Any]) -> None:
    shown = {key: value for key, value in body.items() if not key.startswith("@odata")}
    validator(kind).validate(shown)
    assert set(shown) <= set(SCHEMA["$defs"][f"microsoft.graph.{kind}"]["properties"])


def test_msal_signs_in_by_secret_and_by_certificate(lab: Lab) -> None:
    assert sign_in(lab)["token_type"] == "Bearer"
    pem = Path(lab.facts["certificate_file"]).read_bytes()
    key = serialization.load_pem_private_key(pem, None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.PEM)
    found = sign_in(lab, {"private_key": key.decode(), "public_certificate": public.decode()})
    assert "access_token" in found


@pytest.mark.parametrize(
    ("credential", "other", "code", "error"),
    [
        ("wrong", {}, 7000215, "invalid_client"),
        (None, {"client_id": "11111111-1111-4111-8111-111111111111"}, 700016, "unauthorized_client"),
    ],
)
def test_refusals_carry_entras_codes(lab: Lab, credential: Any, other: dict[str, str], code: int, error: str) -> None:
    answer = sign_in(lab, credential, **other)
    assert (answer["error"], answer["error_codes"]) == (error, [code])
    assert answer["error_description"].startswith(f"AADSTS{code}: ")


def test_an_unknown_directory_is_90002_already_at_discovery(lab: Lab) -> None:
    with Session(lab) as session:
        answer = session.get(
            f"{lab.facts['authority']}/nowhere.example/v2.0/.well-known/openid-configuration", timeout=10
        )
    assert answer.status_code == 400
    assert answer.json()["error_codes"] == [90002]


def test_an_ended_secret_is_7000222(lab: Lab) -> None:
    lab.call("POST", "entra/secret", {"action": "expire"})
    assert sign_in(lab)["error_codes"] == [7000222]
    lab.facts["client_secret"] = lab.call("POST", "entra/secret", {"action": "new"})["secret"]
    assert "access_token" in sign_in(lab)


def test_rights_are_those_of_the_tokens_issue(lab: Lab, get: Any) -> None:
    lab.call("POST", "entra/roles", {"revoke": ["GroupMember.Read.All", "Group.Read.All"]})
    assert get("/groups?$top=1")[0] == 200
    with Session(lab) as session:
        token = sign_in(lab)["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = session.get(f"{lab.facts['graph']}/v1.0/groups", headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Authorization_RequestDenied")
    lab.call("POST", "entra/roles", {"grant": ["GroupMember.Read.All", "Group.Read.All"]})


def test_without_a_token_graph_says_401(lab: Lab) -> None:
    with Session(lab) as session:
        answer = session.get(f"{lab.facts['graph']}/v1.0/users", timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


def test_lists_page_by_top_and_fit_the_schema(get: Any) -> None:
    status, page = get("/users?$top=7&$select=id,displayName,mobilePhone,faxNumber,businessPhones,accountEnabled")
    assert status == 200
    assert len(page["value"]) == 7
    for user in page["value"]:
        fits("user", user)
    second = get(page["@odata.nextLink"])[1]
    assert not {user["id"] for user in page["value"]} & {user["id"] for user in second["value"]}
    for group in get("/groups?$top=40")[1]["value"]:
        fits("group", group)


@pytest.mark.parametrize("top", ["0", "1000", "x"])
def test_a_page_size_outside_1_to_999_is_refused(get: Any, top: str) -> None:
    status, body = get(f"/users?$top={top}")
    assert (status, body["error"]["code"]) == (400, "Request_BadRequest")
    assert body["error"]["message"].startswith("Invalid page size specified")


def test_search_needs_the_consistency_header_and_finds_tokens(get: Any) -> None:
    query = '/groups?$search="displayName:developers"&$count=true'
    status, body = get(query)
    assert (status, body["error"]["code"]) == (400, "Request_UnsupportedQuery")
    status, body = get('/groups?$search="displayName:aws-dev"&$count=true', **EVENTUAL)
    assert [group["displayName"] for group in body["value"]] == ["AWS-Developers"]
    assert body["@odata.count"] == 1


def test_filters_of_a_picker(get: Any) -> None:
    found = get("/users?$filter=startswith(displayName,'Siobh') or startswith(mail,'nobody')")[1]["value"]
    assert [user["displayName"] for user in found] == ["Siobhán O'Brien"]
    assert get("/users?$filter=displayName eq 'Siobhán O''Brien'")[1]["value"] == found


def test_up_to_fifteen_values_are_looked_up_at_once(get: Any) -> None:
    found = get("/users?$filter=displayName in ('Siobhán O''Brien','sam rowe')&$top=999")[1]["value"]
    assert sorted(one["displayName"] for one in found) == ["Sam Rowe", "Sam Rowe", "Siobhán O'Brien"]
    many = ",".join(f"'{n}'" for n in range(16))
    status, body = get(f"/users?$filter=displayName in ({many})")
    assert (status, body["error"]["code"]) == (400, "Request_BadRequest")


def test_an_application_is_found_by_the_beginning_of_its_name(get: Any, lab: Lab) -> None:
    [app] = get("/servicePrincipals?$filter=startswith(displayName,'aws')")[1]["value"]
    assert app["id"] == lab.facts["service_principal_id"]
    assert get("/servicePrincipals?$filter=startswith(displayName,'iam')")[1]["value"] == []


def test_a_full_round_brings_everybody_once_with_managers_and_no_nulls(lab: Lab, get: Any) -> None:
    items, _link = rounds(get, "/users/delta?$select=id,displayName,surname,manager")
    state = lab.call("GET", "entra/state")["users"]
    assert sorted(item["id"] for item in items) == sorted(user["id"] for user in state)
    managers = {item["id"]: item["manager@delta"][0]["id"] for item in items if "manager@delta" in item}
    assert managers == {user["id"]: user["manager"] for user in state if user["manager"]}
    assert not any("surname" in item and item["surname"] is None for item in items)


def test_a_second_round_tells_changes_clearings_and_removals(lab: Lab, get: Any) -> None:
    person = lab.call("POST", "entra/hire", {"displayName": "Del Ta", "jobTitle": "Clerk"})["id"]
    _items, link = rounds(get, "/users/delta?$select=id,displayName,jobTitle")
    assert rounds(get, link)[0] == []
    lab.call("PATCH", f"entra/users/{person}", {"jobTitle": None})
    items, link = rounds(get, link)
    assert items == [{"id": person, "displayName": "Del Ta", "jobTitle": None}]
    lab.call("POST", f"entra/users/{person}/leave")
    items, link = rounds(get, link)
    assert items == [{"id": person, "@removed": {"reason": "changed"}}]
    lab.call("POST", f"entra/users/{person}/restore")
    assert rounds(get, link)[0][0]["displayName"] == "Del Ta"
    lab.call("POST", f"entra/users/{person}/purge")
    assert rounds(get, link)[0] == [{"id": person, "@removed": {"reason": "deleted"}}]


def test_members_come_in_portions_that_add_up(lab: Lab, get: Any) -> None:
    items, _link = rounds(get, "/groups/delta?$select=displayName,members")
    seen: dict[str, list[str]] = {}
    for item in items:
        seen.setdefault(item["id"], []).extend(entry["id"] for entry in item.get("members@delta", []))
    for group in lab.call("GET", "entra/state")["groups"]:
        assert sorted(seen[group["id"]]) == sorted(member["id"] for member in group["members"])
    assert any(len([item for item in items if item["id"] == key]) > 1 for key in seen)


def test_a_membership_change_is_an_entry_of_its_group(lab: Lab, get: Any) -> None:
    group = lab.entra_group("AWS-Admins")
    _items, link = rounds(get, "/groups/delta?$select=displayName,members")
    gone = group["members"][0]
    lab.call("POST", f"entra/groups/{group['id']}/members", {"remove": [gone["id"]]})
    [item] = rounds(get, link)[0]
    removed = {"@odata.type": f"#microsoft.graph.{gone['type']}", "id": gone["id"], "@removed": {"reason": "deleted"}}
    assert item["members@delta"] == [removed]
    lab.call("POST", f"entra/groups/{group['id']}/members", {"add": [gone["id"]]})


def test_a_soft_deleted_member_stays_silent_in_the_groups_round(lab: Lab, get: Any) -> None:
    person = lab.call("POST", "entra/hire", {"displayName": "Sil Ent"})["id"]
    group = lab.call("POST", "entra/groups", {"displayName": "Quiet", "members": [person]})
    _items, link = rounds(get, "/groups/delta?$select=displayName,members")
    lab.call("POST", f"entra/users/{person}/leave")
    assert rounds(get, link)[0] == []
    assert get(f"/groups/{group['id']}/members")[1]["value"] == []
    assert get(f"/users/{person}")[0] == 404


@pytest.mark.parametrize(
    ("flavour", "status", "code"),
    [("410", 410, "resyncRequired"), ("400", 400, "Request_UnsupportedQuery"), ("404", 404, "syncStateNotFound")],
)
def test_dead_tokens_come_in_three_flavours(lab: Lab, get: Any, flavour: str, status: int, code: str) -> None:
    _items, link = rounds(get, "/users/delta?$select=id")
    lab.call("POST", "entra/delta", {"expire_tokens": flavour})
    answered, body = get(link)
    assert (answered, body["error"]["code"]) == (status, code)
    lab.call("POST", "entra/hire", {"displayName": "New Token"})


def test_nested_groups_are_followed_and_cycles_end(lab: Lab, get: Any) -> None:
    group = lab.entra_group("Project 30")
    direct = get(f"/groups/{group['id']}/members?$top=999")[1]["value"]
    transitive = get(f"/groups/{group['id']}/transitiveMembers?$top=999")[1]["value"]
    assert {one["id"] for one in direct} < {one["id"] for one in transitive}
    assert group["id"] not in {one["id"] for one in transitive}


def test_single_objects_managers_and_the_application(lab: Lab, get: Any) -> None:
    boss = next(user for user in lab.call("GET", "entra/state")["users"] if user["manager"])
    status, manager = get(f"/users/{boss['id']}/manager?$select=id")
    assert (status, manager["id"]) == (200, boss["manager"])
    status, principal = get(f"/servicePrincipals(appId='{lab.facts['client_id']}')")
    assert (status, principal["id"]) == (200, lab.facts["service_principal_id"])
    assigned = get(f"/servicePrincipals/{principal['id']}/appRoleAssignedTo")[1]["value"]
    assert {one["principalDisplayName"] for one in assigned} == {"AWS-Developers", "AWS-Admins"}
    assert get("/organization")[1]["value"][0]["displayName"] == "Contoso"
    assert get("/users/00000000-0000-4000-8000-000000000000")[1]["error"]["code"] == "Request_ResourceNotFound"


def test_faults_fire_as_often_as_they_are_told(lab: Lab, get: Any) -> None:
    lab.call(
        "POST",
        "faults",
        {"part": "graph", "kind": "status", "status": 503, "match": "organization", "times": 1, "body": "{}"},
    )
    assert [get("/organization")[0] for _ in range(2)] == [503, 200]
    lab.call("DELETE", "faults")


def test_the_provisioning_job_and_its_schema_need_a_right_of_their_own(lab: Lab, get: Any) -> None:
    own = get(f"/servicePrincipals(appId='{lab.facts['client_id']}')")[1]["id"]
    jobs = f"{lab.facts['graph']}/v1.0/servicePrincipals/{own}/synchronization/jobs"
    status, refused = get(jobs)
    assert (status, refused["error"]["code"]) == (403, "Authorization_RequestDenied")
    lab.call("POST", "entra/roles", {"grant": ["Synchronization.Read.All"]})
    headers = {"Authorization": f"Bearer {sign_in(lab)['access_token']}"}
    with Session(lab) as session:
        [job] = session.get(jobs, headers=headers, timeout=20).json()["value"]
        schema = session.get(f"{jobs}/{job['id']}/schema", headers=headers, timeout=20).json()
        assert session.get(f"{jobs}/other/schema", headers=headers, timeout=20).status_code == 404
    lab.call("POST", "entra/roles", {"revoke": ["Synchronization.Read.All"]})
    fits("synchronizationJob", job)
    fits("synchronizationSchema", schema)
    assert [one["sourceObjectName"] for one in schema["synchronizationRules"][0]["objectMappings"]] == ["User", "Group"]


def test_a_group_or_person_made_anew_keeps_the_name_and_gets_another_id(lab: Lab) -> None:
    ada = lab.call("POST", "entra/hire", {"displayName": "Ada Anew"})
    group = lab.call("POST", "entra/groups", {"displayName": "Anew", "members": [ada["id"]]})
    lab.call("POST", "entra/assignments", {"add": [{"principalId": group["id"]}]})
    again = lab.call("POST", f"entra/groups/{group['id']}/remake")
    assert (again["displayName"], again["id"] == group["id"]) == ("Anew", False)
    hired = lab.call("POST", f"entra/users/{ada['id']}/remake")
    assert (hired["userPrincipalName"], hired["id"] == ada["id"]) == (ada["userPrincipalName"], False)
    state = lab.call("GET", "entra/state")
    [held] = [one for one in state["groups"] if one["displayName"] == "Anew"]
    assert [member["id"] for member in held["members"]] == [hired["id"]]
    assert ada["id"] not in {one["id"] for one in state["users"]}
    assigned = {row["principal_id"] for row in lab.call("GET", "entra/assignments")}
    assert again["id"] in assigned
    assert group["id"] not in assigned
