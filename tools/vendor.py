"""Copies the front-end assets out of unpacked npm packages into static/vendor/, with their licences.

Usage: npm pack @tabler/core@1.6.1 @tabler/icons@3.51.0 idiomorph@0.7.4 chart.js@4.5.1 axe-core@4.14.1, unpack each beside its tarball,
then `python3 tools/vendor.py FOLDER`. The copies are committed: neither node nor a registry is needed to run or test.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
ICON_TAG = re.compile(r'icon(?:_name=|\s+)"([a-z0-9-]+)"')
# Named in Python tables rather than in templates.
ICON_IN_CODE = re.compile(r'"([a-z]+(?:-[a-z0-9]+)*)"')
MAP_COMMENT = re.compile(r"/\*# sourceMappingURL=.*?\*/|//# sourceMappingURL=.*")


def main(source: Path) -> None:
    tabler(source / "tabler-core-1.6.1" / "package")
    idiomorph(source / "idiomorph-0.7.4" / "package")
    chart(source / "chart.js-4.5.1" / "package")
    sprite(source / "tabler-icons-3.51.0" / "package")
    axe(source / "axe-core-4.14.1" / "package")


def tabler(package: Path) -> None:
    """A source map that is not there makes collectstatic fail, so its comment goes."""
    folder = make(VENDOR / "tabler-1.6.1")
    css = MAP_COMMENT.sub("", (package / "dist" / "css" / "tabler.min.css").read_text())
    (folder / "tabler.min.css").write_text(css)
    (folder / "LICENSE").write_text(MIT.format(holder="2018-2026 The Tabler Authors, codecalm"))


def idiomorph(package: Path) -> None:
    folder = make(VENDOR / "idiomorph-0.7.4")
    script = (package / "dist" / "idiomorph-ext.min.js").read_text()
    (folder / "idiomorph-ext.min.js").write_text(MAP_COMMENT.sub("", script))
    (folder / "LICENSE").write_text((package / "LICENSE").read_text())


def chart(package: Path) -> None:
    folder = make(VENDOR / "chart.js-4.5.1")
    script = (package / "dist" / "chart.umd.min.js").read_text()
    (folder / "chart.umd.min.js").write_text(MAP_COMMENT.sub("", script))
    (folder / "LICENSE").write_text((package / "LICENSE.md").read_text())


def sprite(package: Path) -> None:
    """Only the icons that templates and tables name."""
    folder = make(VENDOR / "tabler-icons-3")
    outline = package / "icons" / "outline"
    names = sorted(name for name in used() if (outline / f"{name}.svg").exists())
    symbols = "".join(symbol(name, (outline / f"{name}.svg").read_text()) for name in names)
    (folder / "sprite.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>\n')
    (folder / "LICENSE").write_text((package / "LICENSE").read_text())


def used() -> set[str]:
    names: set[str] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        names |= set(ICON_TAG.findall(path.read_text()))
    for path in (ROOT / "portal").rglob("*.py"):
        names |= set(ICON_IN_CODE.findall(path.read_text()))
    return names


def symbol(name: str, svg: str) -> str:
    inner = re.sub(r"^.*?<svg[^>]*>|</svg>\s*$", "", re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL), flags=re.DOTALL)
    inner = re.sub(r"\s*\n\s*", "", inner)
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
        f'stroke-linecap="round" stroke-linejoin="round">{inner}</symbol>'
    )


def axe(package: Path) -> None:
    folder = make(ROOT / "tests" / "samples" / "axe-core-4.14.1")
    (folder / "axe.min.js").write_text((package / "axe.min.js").read_text())
    (folder / "LICENSE").write_text((package / "LICENSE").read_text())


def make(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


MIT = """MIT License

Copyright (c) {holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

if __name__ == "__main__":
    main(Path(sys.argv[1]))
