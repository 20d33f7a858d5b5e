from sync.scim.resource import ENTERPRISE, patch_operations, unit_of, units, units_held, user_body

WORK_MAIL = 'emails[type eq "work"].value'


def test_values_of_one_list_become_one_unit_in_the_order_of_their_rows() -> None:
    values = {'phoneNumbers[type eq "work"].value': "1", 'phoneNumbers[type eq "mobile"].value': "2"}
    assert units(values) == {"phoneNumbers": [{"type": "work", "value": "1"}, {"type": "mobile", "value": "2"}]}


def test_parts_of_an_address_are_one_element() -> None:
    values = {'addresses[type eq "work"].locality': "Oslo", 'addresses[type eq "work"].country': "NO"}
    assert units(values) == {"addresses": [{"type": "work", "locality": "Oslo", "country": "NO"}]}


def test_the_email_is_primary() -> None:
    assert units({WORK_MAIL: "a@b.c"}) == {"emails": [{"type": "work", "value": "a@b.c", "primary": True}]}


def test_a_body_nests_names_and_the_extension_and_names_its_schemas() -> None:
    body = user_body({"userName": "a", "name.givenName": "Ada", f"{ENTERPRISE}:department": "X"})
    assert body["name"] == {"givenName": "Ada"}
    assert body[ENTERPRISE] == {"department": "X"}
    assert ENTERPRISE in body["schemas"]
    assert ENTERPRISE not in user_body({"userName": "a"})["schemas"]


def test_a_patch_names_every_changed_unit_and_removes_what_is_gone() -> None:
    before = {"title": "Clerk", "displayName": "A", "active": True}
    after = {"displayName": "B", "locale": "en"}
    assert patch_operations(before, after) == [
        {"op": "replace", "path": "displayName", "value": "B"},
        {"op": "replace", "path": "locale", "value": "en"},
        {"op": "remove", "path": "title"},
    ]


def test_units_are_read_back_as_they_were_written() -> None:
    written = {
        "userName": "a",
        "name.givenName": "Ada",
        f"{ENTERPRISE}:department": "X",
        "emails": [{"value": "a@b.c"}],
    }
    assert units_held(user_body(written), written) == written
    assert units_held({}, written) == {}


def test_a_target_belongs_to_its_unit() -> None:
    assert unit_of(WORK_MAIL) == "emails"
    assert unit_of("name.familyName") == "name.familyName"
