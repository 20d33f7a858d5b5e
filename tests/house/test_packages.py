"""What an installation consists of is listed, and asked about where that can be done."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tools import audit_packages, bill_of_materials

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.pure


def test_the_bill_of_materials_lists_the_locked_packages_and_what_browsers_get() -> None:
    assert bill_of_materials.BILL.read_text() == bill_of_materials.bill(), "python tools/bill_of_materials.py"
    listed = {one["purl"] for one in json.loads(bill_of_materials.bill())["components"]}
    assert {"pkg:pypi/django@5.2.19", "pkg:npm/%40tabler/core@1.6.1"} <= listed
    assert len(listed) > 50


def test_every_package_that_the_product_imports_is_one_that_it_asks_for() -> None:
    """What comes along with another package may go with it."""
    asked = {
        re.split(r"[\[<>=]", one)[0]
        for one in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    }
    sources = [path.read_text() for place in ("portal", "sync", "lab") for path in (ROOT / place).rglob("*.py")]
    for module, package in {"jwt": "pyjwt", "requests": "requests", "cryptography": "cryptography"}.items():
        assert any(re.search(rf"^(import|from) {module}\b", text, re.MULTILINE) for text in sources)
        assert package in asked


def answered(stdout: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], code, stdout, "")


MUCH = json.dumps({"dependencies": [{"name": "django", "vulns": [{"id": "PYSEC-2021-98"}]}]})
NOTHING = json.dumps({"dependencies": [{"name": "django", "vulns": []}]})


@pytest.mark.parametrize("first", [answered(NOTHING), answered("", 1)], ids=["it knows nothing", "it is not there"])
def test_where_nobody_knows_anything_it_says_so_and_passes_no_judgement(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], first: subprocess.CompletedProcess[str]
) -> None:
    monkeypatch.setattr(audit_packages, "ask", lambda *_words: first)
    assert audit_packages.main() == 0
    assert capsys.readouterr().out == f"{audit_packages.NONE}\n"


def test_what_a_source_knows_against_a_package_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([answered(MUCH, 1), answered("django 5.2.19 PYSEC-2026-1", 1)])
    monkeypatch.setattr(audit_packages, "ask", lambda *_words: next(answers))
    assert audit_packages.main() == 1
