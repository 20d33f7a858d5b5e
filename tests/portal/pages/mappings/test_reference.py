"""Help beside the mapping editor."""

from django.test import Client

from sync.expressions import FUNCTIONS
from sync.models import Tenant

HTMX = {"HX-Request": "true"}


def test_help_lists_every_function_and_what_aws_takes(jo: Client, tenant: Tenant) -> None:
    page = jo.get("/t/acme/mappings/expressions/").content.decode()
    assert page.count("data-words=") == len(FUNCTIONS)
    assert "data-insert=" not in page
    in_editor = jo.get("/t/acme/mappings/expressions/", headers=HTMX).content.decode()
    assert in_editor.count("data-insert=") == len(FUNCTIONS)
    assert "AWS has no field for application roles" in page
    for one in FUNCTIONS.values():
        assert f'href="#{one.name}"' in page
        assert f'id="{one.name}"' in page
    page = jo.get("/t/acme/mappings/fields/").content.decode()
    for words in ("employeeNumber", "no white space", "one item in phoneNumbers", "onPremisesSamAccountName"):
        assert words in page


def test_help_says_beside_the_invitation_to_paste_what_works_in_entra_and_not_here(jo: Client, tenant: Tenant) -> None:
    page = jo.get("/t/acme/mappings/expressions/").content.decode()
    assert "can be pasted here, but for a few parts named below" in page
    section = page[page.index('id="pasted-title"') : page.index('id="functions-title"')]
    for part in (r"<code>\b</code>", "<code>(?=…)</code>", "DefaultDomain", "[appRoleAssignments]"):
        assert part in section
