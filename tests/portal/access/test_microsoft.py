"""Sign-in with Microsoft: the lab's Entra plays it, and every token that is not for us is refused."""

import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from portal.access.rights import role_of
from portal.deployment.microsoft import parse
from portal.models import Role, RoleGrant, User
from sync.models import AuditEntry, Tenant
from tests.world.lab import Lab
from tests.world.people import PASSWORD, code_of_app, long_ago

pytestmark = pytest.mark.company(60)
START = "/sign-in/microsoft/"
LOGS = "/t/acme/logs/"


class Entra:
    """`ann`: somebody of the company, another one in each test; her group's object id is `group`."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        state = lab.call("GET", "entra/state")
        self.group = next(one for one in state["groups"] if one["displayName"] == "AWS-Admins")["id"]
        self.ann = lab.call(
            "POST",
            "entra/hire",
            {
                "displayName": "Ann Admin",
                "userPrincipalName": f"ann-{uuid.uuid4().hex[:8]}@{lab.facts['domain']}",
                "groups": [self.group],
            },
        )
        self.behave(roles={}, amr=["pwd", "mfa"], flaw="")

    def behave(self, **changes: Any) -> None:
        self.lab.call("POST", "entra/sign-in", changes)

    def gives(self, *roles: str) -> None:
        self.behave(roles={self.ann["userPrincipalName"]: roles})

    def consent(self, address: str) -> str:
        """What a person does on Microsoft's page; where the browser goes then."""
        with requests.Session() as session:
            session.trust_env = False
            name = {"lab_user": self.ann["userPrincipalName"]}
            ca = self.lab.facts["ca_file"]
            answer = session.get(address, params=name, verify=ca, allow_redirects=False, timeout=10)
        assert answer.status_code == 302
        return answer.headers["Location"].removeprefix("http://localhost:8000")


@pytest.fixture
def entra(lab: Lab, tenant: Tenant, settings: Any) -> Entra:
    settings.EXTRA_CLOUDS = lab.clouds
    entra = Entra(lab)
    settings.MICROSOFT_SIGN_IN = {
        "directory_id": lab.facts["directory_id"],
        "client_id": lab.facts["client_id"],
        "cloud": "lab",
        "roles": {
            "Lockstep.Operator": {"role": "operator", "tenant": "acme"},
            "Lockstep.Owner": {"role": "owner", "tenant": None},
            "Lockstep.Elsewhere": {"role": "owner", "tenant": "nowhere"},
            entra.group: {"role": "viewer", "tenant": "acme"},
        },
    }
    settings.MICROSOFT_SIGN_IN_SECRET = lab.facts["client_secret"]
    return entra


def sign_in(entra: Entra, client: Client | None = None, path: str = START) -> tuple[Client, str]:
    """The browser, and the page that it ends on."""
    client = client or Client()
    back = entra.consent(client.get(path)["Location"])
    answer = client.get(back, follow=True)
    return client, answer.content.decode()


def test_an_app_role_makes_an_account_with_its_role(entra: Entra, tenant: Tenant) -> None:
    entra.gives("Lockstep.Operator")
    client, _page = sign_in(entra, path=f"{START}?next={LOGS}")
    ann = User.objects.get()
    assert (ann.email, ann.name, ann.has_usable_password()) == (entra.ann["userPrincipalName"], "Ann Admin", False)
    assert role_of(User.objects.get(pk=ann.pk), tenant) is Role.OPERATOR
    assert client.get(LOGS).status_code == 200
    assert AuditEntry.objects.filter(verb="user.add", actor="Microsoft sign-in").exists()


def test_the_address_asks_for_a_code_with_pkce_and_a_nonce(entra: Entra) -> None:
    address = urlsplit(Client().get(START)["Location"])
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"] == "http://localhost:8000/sign-in/microsoft/answer/"
    assert len(query["nonce"]) > 30
    assert len(query["state"]) > 30
    assert "secret" not in address.query


def test_a_group_brings_its_role(entra: Entra, tenant: Tenant) -> None:
    client, _page = sign_in(entra)
    assert role_of(User.objects.get(), tenant) is Role.VIEWER
    assert client.get(LOGS).status_code == 200


def test_of_several_roles_the_one_that_may_most_counts_and_they_follow_entra(entra: Entra, tenant: Tenant) -> None:
    entra.gives("Lockstep.Operator", "Lockstep.Owner")
    person_of_last_resort = User.objects.create_user("glass@acme.example", PASSWORD)
    RoleGrant.objects.create(user=person_of_last_resort, role=Role.OWNER)
    sign_in(entra)
    ann = User.objects.get(email=entra.ann["userPrincipalName"])
    assert role_of(User.objects.get(pk=ann.pk), tenant) is Role.OWNER
    entra.gives()
    sign_in(entra)
    assert role_of(User.objects.get(pk=ann.pk), tenant) is Role.VIEWER
    entra.lab.call("POST", f"entra/groups/{entra.group}/members", {"remove": [entra.ann["id"]]})
    client, page = sign_in(entra)
    assert "gives" in page
    assert client.get("/t/")["Location"].startswith("/sign-in/")
    assert role_of(User.objects.get(pk=ann.pk), tenant) is None


def test_the_last_owner_stays_whatever_entra_says(entra: Entra) -> None:
    entra.gives("Lockstep.Owner")
    sign_in(entra)
    entra.gives()
    _client, page = sign_in(entra)
    assert "is the last Owner" in page
    assert RoleGrant.objects.filter(role=Role.OWNER).exists()


def test_a_role_for_a_tenant_that_is_not_there_brings_nothing(entra: Entra) -> None:
    entra.lab.call("POST", f"entra/groups/{entra.group}/members", {"remove": [entra.ann["id"]]})
    entra.gives("Lockstep.Elsewhere")
    assert "gives" in sign_in(entra)[1]
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        ("nonce", "belongs to another sign-in"),
        ("audience", "InvalidAudienceError"),
        ("issuer", "InvalidIssuerError"),
        ("directory", "InvalidIssuerError"),
        ("key", "InvalidSignatureError"),
        ("expired", "ExpiredSignatureError"),
        ("unsigned", "refused"),
    ],
)
def test_a_token_that_is_not_for_us_is_refused(entra: Entra, flaw: str, words: str) -> None:
    entra.gives("Lockstep.Operator")
    entra.behave(flaw=flaw)
    client, page = sign_in(entra)
    assert "Sign-in with Microsoft failed" in page
    assert words in page
    assert not User.objects.exists()
    assert client.get("/t/")["Location"].startswith("/sign-in/")


def test_an_answer_is_taken_once_and_by_the_browser_that_asked(entra: Entra) -> None:
    entra.gives("Lockstep.Operator")
    client = Client()
    back = entra.consent(client.get(START)["Location"])
    assert "begun elsewhere" in Client().get(back, follow=True).content.decode()
    assert client.get(back)["Location"] == "/t/"
    client.post("/sign-out/")
    assert "begun elsewhere" in client.get(back, follow=True).content.decode()


@pytest.mark.parametrize("state", ["made-up", "", "made-%C3%BCp", "%ED%A0%80"])
def test_an_answer_with_another_state_is_refused(entra: Entra, state: str) -> None:
    client = Client()
    back = entra.consent(client.get(START)["Location"])
    page = client.get(back.partition("state=")[0] + f"state={state}", follow=True).content.decode()
    assert "belongs to another sign-in" in page


def test_microsofts_own_refusal_is_shown_in_its_words(entra: Entra) -> None:
    client = Client()
    flow = parse_qs(urlsplit(client.get(START)["Location"]).query)
    answer = {"error": "access_denied", "error_description": "AADSTS50105: not assigned <b>", "state": flow["state"][0]}
    page = client.get(f"{START}answer/", answer, follow=True).content.decode()
    assert "AADSTS50105: not assigned &lt;b&gt;" in page


def test_an_address_of_somebody_here_is_not_taken_over(entra: Entra, tenant: Tenant) -> None:
    entra.gives("Lockstep.Owner")
    local = User.objects.create_user(entra.ann["userPrincipalName"], PASSWORD)
    _client, page = sign_in(entra)
    assert "exists already" in page
    local.refresh_from_db()
    assert local.microsoft_key is None


def test_one_s_own_account_is_connected_and_keeps_its_roles(
    entra: Entra, tenant: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    _client, page = sign_in(entra, client_of(viewer), f"{START}?connect=1")
    assert "connected to Microsoft" in page
    entra.gives("Lockstep.Owner")
    other, _page = sign_in(entra)
    assert other.post("/sign-in/verify/", {"code": code_of_app()}).status_code == 302
    assert other.get(LOGS).status_code == 200
    assert role_of(viewer, tenant) is Role.VIEWER
    assert User.objects.count() == 1


def test_an_open_session_alone_connects_nobody(entra: Entra, viewer: User, client_of: Callable[[User], Client]) -> None:
    """Whoever finds it open would have a way in of his own, for good."""
    client = client_of(viewer)
    long_ago(client)
    answer = client.get(f"{START}?connect=1")
    assert unquote(answer["Location"]) == f"/sign-in/again/code/?next={START}?connect=1"
    client.post(answer["Location"], {"code": code_of_app()})
    assert client.get(f"{START}?connect=1")["Location"].startswith("https://")


def test_what_was_begun_before_somebody_signed_in_connects_nobody(entra: Entra, viewer: User) -> None:
    """Whoever was at the browser before could have it end with an answer for an account of his own."""
    client = Client()
    address = client.get(f"{START}?connect=1")["Location"]
    client.post("/sign-in/", {"login": viewer.email, "password": PASSWORD})
    client.post("/sign-in/verify/", {"code": code_of_app()})
    assert "another Microsoft account" in client.get(entra.consent(address), follow=True).content.decode()
    viewer.refresh_from_db()
    assert viewer.microsoft_key is None


def test_a_second_factor_that_microsoft_has_not_seen_is_set_up_here(entra: Entra) -> None:
    entra.gives("Lockstep.Operator")
    entra.behave(amr=["pwd"])
    client, page = sign_in(entra)
    assert "It needs a second factor" in page
    assert client.get(LOGS)["Location"].startswith("/me/security/")


def test_what_matters_asks_microsoft_again(entra: Entra, tenant: Tenant, settings: Any) -> None:
    entra.gives("Lockstep.Owner")
    client, _page = sign_in(entra)
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
    page = "/t/acme/connection/entra/"
    first = client.get(page)["Location"]
    assert first == f"{START}?next={page}"
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
    address = client.get(first)["Location"]
    assert "prompt=login" in address
    assert client.get(entra.consent(address))["Location"] == page
    assert client.get(page).status_code == 200


def test_whoever_was_deactivated_here_stays_out(entra: Entra) -> None:
    entra.gives("Lockstep.Operator")
    sign_in(entra)
    User.objects.update(is_active=False)
    client, page = sign_in(entra)
    assert "switched off" in page
    assert client.get("/t/")["Location"].startswith("/sign-in/")


def test_without_the_setting_there_is_no_such_page(db: None) -> None:
    assert Client().get(START).status_code == 404
    assert Client().get(f"{START}answer/").status_code == 404
    assert "Microsoft" not in Client().get("/sign-in/").content.decode()


GUID = "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b1"
GOOD: dict[str, Any] = {"directory_id": GUID, "client_id": GUID, "roles": {"A": {"role": "owner"}}}


@pytest.mark.pure
def test_the_setting_is_read() -> None:
    assert parse(json.dumps(GOOD)) == GOOD | {
        "cloud": "global",
        "roles": {"A": {"role": "owner", "tenant": None}},
    }
    assert parse("") is None


@pytest.mark.pure
@pytest.mark.parametrize(
    "change",
    [
        {"directory_id": "common"},
        {"directory_id": "organizations"},
        {"client_id": ""},
        {"roles": {"A": {"role": "emperor"}}},
        {"roles": {"A": {"role": "owner", "tenant": "acme"}}},
        {"roles": ["A"]},
        {"secret": "x"},
    ],
)
def test_a_setting_that_would_let_others_in_stops_the_start(change: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured, match="MICROSOFT_SIGN_IN cannot be read"):
        parse(json.dumps(GOOD | change))
