"""What begins with a text, so that an index is used: SQLite's LIKE uses none, PostgreSQL's one with pattern operators alone."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import CharField, Expression, GeneratedField, Q
from django.db.models.functions import Left, Lower

# So many letters are kept: nobody types more, and no index takes texts of any length.
LONGEST = 100
# No text goes on with this character.
LAST = chr(0x10FFFF)


def beginning_of(source: str | Expression) -> GeneratedField:
    """A column with how another one begins, in lower case."""
    # A letter may become two: the dotted capital I.
    letters = CharField(max_length=2 * LONGEST)
    return GeneratedField(expression=Lower(Left(source, LONGEST)), output_field=letters, db_persist=True)


def begins(field: str, texts: Iterable[str]) -> Q:
    """`field` begins with one of the texts, letter for letter."""
    found = Q(pk__in=())
    for text in texts:
        between = {f"{field}__gte": text, f"{field}__lt": text + LAST}
        found |= Q(**between) if connection.vendor == "sqlite" else Q(**{f"{field}__startswith": text})
    return found


def lowered(text: str) -> set[str]:
    """As the databases lower a text: PostgreSQL every letter, SQLite those of ASCII."""
    text = text[:LONGEST]
    ascii_alone = "".join(letter.lower() if letter.isascii() else letter for letter in text)
    return {text.lower(), ascii_alone}
