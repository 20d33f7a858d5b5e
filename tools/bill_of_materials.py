"""Writes what an installation consists of as a CycloneDX bill of materials: locked packages, and what browsers are given.

tools/lock.py calls it after each change of the locks; their hashes stand there. A test holds the file against them.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parent.parent
BILL = ROOT / "requirements" / "bill-of-materials.json"
LOCKED = re.compile(r"^([a-z0-9-]+)==([^\s;]+)", re.MULTILINE)
# Folder of static/vendor -> package of npm; the icons are a part of theirs.
VENDORED = {
    "chart.js-4.5.1": ("", "chart.js", "4.5.1"),
    "idiomorph-0.7.4": ("", "idiomorph", "0.7.4"),
    "tabler-1.6.1": ("@tabler", "core", "1.6.1"),
    "tabler-icons-3": ("@tabler", "icons", "3.51.0"),
}


def bill() -> str:
    facts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    product = Component(
        name=facts["name"], version=facts["version"], type=ComponentType.APPLICATION, bom_ref=facts["name"]
    )
    asked = {re.split(r"[\[<>=]", one)[0] for one in facts["dependencies"]}
    locked, given = list(packages()), list(vendored())
    bom = Bom(components=[*locked, *given])
    bom.metadata.component = product
    bom.register_dependency(product, [*(one for one in locked if one.name in asked), *given])
    # The same locks give the same file.
    bom.metadata.timestamp = None  # type: ignore[assignment]
    bom.serial_number = None  # type: ignore[assignment]
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def packages() -> Iterator[Component]:
    """Of the embedded broker too, which a production installation leaves out."""
    for name, version in LOCKED.findall((ROOT / "requirements" / "embedded.txt").read_text()):
        yield component(PackageURL("pypi", None, name, version))


def vendored() -> Iterator[Component]:
    for folder in sorted((ROOT / "static" / "vendor").iterdir()):
        yield component(PackageURL("npm", *VENDORED[folder.name]))


def component(url: PackageURL) -> Component:
    return Component(
        name=url.name, group=url.namespace, version=url.version, type=ComponentType.LIBRARY, purl=url, bom_ref=str(url)
    )


if __name__ == "__main__":
    BILL.write_text(bill())
    sys.stdout.write(f"{BILL.relative_to(ROOT)}\n")
