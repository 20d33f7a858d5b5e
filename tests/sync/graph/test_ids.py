"""What counts as the id of an object of the directory."""

import pytest

from sync.graph.ids import is_guid, plain_guid

ADA = "5cf687a0-8b15-5fd6-98e7-29696e6c2e14"


@pytest.mark.parametrize("text", [ADA, ADA.upper()])
def test_a_guid_in_its_usual_form_is_an_id(text: str) -> None:
    assert is_guid(text)
    assert plain_guid(text) == ADA


@pytest.mark.parametrize("text", [f"{{{ADA}}}", ADA.replace("-", ""), f" {ADA.upper()} "])
def test_braces_blanks_and_missing_hyphens_are_put_right_but_are_no_id_yet(text: str) -> None:
    assert not is_guid(text)
    assert plain_guid(text) == ADA


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        f"../groups/{ADA}",
        f"{ADA}\0",
        f"urn:uuid:{ADA}",
        ADA.replace("5", "٥"),
        ADA.replace("-", "_"),
        "1_2_3_4_5_6_7_8_1_2_3_4_5_6_7_8_",
        ADA + "0",
        "x" * 36,
    ],
)
def test_anything_else_is_no_id(text: str) -> None:
    assert not is_guid(text)
    assert plain_guid(text) is None


def test_a_line_break_is_no_part_of_an_id() -> None:
    assert not is_guid(f"{ADA}\n")
