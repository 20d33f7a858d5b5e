"""Files for a spreadsheet."""

import pytest

from portal.frame.csv_export import lines, safe_cell

RUN = [
    "=1",
    "+1",
    "-1",
    "@x",
    "\tx",
    "\rx",
    "\nx",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "  =1",
    "\u00a0=1",
    "\ufeff=1",
    "\u200b+1",
]


@pytest.mark.parametrize("cell", RUN)
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["a", "a=1", "", "1", "Ünal", "a - b"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert safe_cell(cell) == cell


def test_every_cell_is_quoted_so_that_a_semicolon_makes_no_other_cell() -> None:
    assert list(lines(["a"], [["x;=1+1", 'say "hi"', "\0=1"]])) == [
        '\ufeff"a"\r\n',
        '"x;=1+1","say ""hi""","\'=1"\r\n',
    ]
