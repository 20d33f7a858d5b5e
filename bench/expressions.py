"""Microseconds of processor time per evaluation of the default mappings' expressions and of some heavier ones. Prints JSON.

`python bench/expressions.py [--people 100000]`
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sync.expressions import check, evaluate, parse
from sync.rules.mapping import compile_mappings, map_object
from sync.rules.template import DEFAULT_USER_MAPPINGS

NOW = datetime(2026, 11, 23, 18, 17, 2, tzinfo=UTC)
DEFAULTS = [row.source for row in DEFAULT_USER_MAPPINGS if row.kind == "expression"]
HEAVIER = [
    'ToLower(Join("@", NormalizeDiacritics(StripSpaces(Join(".", [givenName], [surname]))), "contoso.com"))',
    r'Replace([telephoneNumber], , "[()\\s-]+", , "", , )',
    r'Replace([telephoneNumber], , "\\+(?<isdCode>\\d* )(?<phoneNumber>.*)", , "${phoneNumber}", , )',
    'IIF(DateDiff("d", Now(), CDate([employeeHireDate])) > 5, "False", "True")',
    'FormatDateTime([employeeHireDate], , "yyyy-MM-ddTHH:mm:ssZ", "yyyy-MM-dd")',
]


def person(number: int) -> dict[str, str]:
    return {
        "id": f"{number:032x}",
        "givenName": f"Zoë {number}",
        "surname": "O'Connor",
        "displayName": f"Zoë O'Connor {number}",
        "userPrincipalName": f"zoe{number}@acme.example",
        "telephoneNumber": "+44 (20) 7946-0958",
        "employeeHireDate": "2026-12-01T00:00:00Z",
        "IsSoftDeleted": "False",
        "mail": f"zoe{number}@acme.example",
    }


def per_evaluation(source: str, people: list[dict[str, str]]) -> float:
    expression = parse(source)
    began = process_time()
    for one in people:
        evaluate(expression, one, now=NOW)
    return round((process_time() - began) / len(people) * 1e6, 2)


def per_preview(source: str) -> float:
    began = process_time()
    for _ in range(200):
        check(source)
        evaluate(parse(source), person(1), now=NOW)
    return round((process_time() - began) / 200 * 1e6, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    people = [person(number) for number in range(parser.parse_args().people)]
    rules = compile_mappings(DEFAULT_USER_MAPPINGS)
    began = process_time()
    for one in people:
        map_object(rules, one, present=True, creating=True)
    mapped = process_time() - began
    sources = DEFAULTS + HEAVIER
    report = {
        "people": len(people),
        "microseconds_per_evaluation": {source: per_evaluation(source, people) for source in sources},
        "microseconds_per_check_parse_and_evaluation": {source: per_preview(source) for source in sources},
        "seconds_for_all_default_mappings_of_everybody": round(mapped, 2),
    }
    print(json.dumps(report, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
