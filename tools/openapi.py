"""Writes docs/openapi.json, the description of the API; tests/portal/api/test_description.py holds it equal to what is served."""

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
TARGET = ROOT / "docs" / "openapi.json"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from portal.api.application import description

    TARGET.write_text(text_of(description()))


def text_of(described: object) -> str:
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
