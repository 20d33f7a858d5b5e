"""A scoping filter as a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.expressions.errors import gettext_noop
from sync.rules.filters import Clause, Filter, Translate, attribute_named, operator_named
from sync.rules.rows import ObjectType

# True and false read better in words of their own.
PHRASES: dict[tuple[str, str], tuple[str, str]] = {
    ("accountEnabled", "IS TRUE"): (gettext_noop("account"), gettext_noop("is enabled")),
    ("accountEnabled", "IS FALSE"): (gettext_noop("account"), gettext_noop("is disabled")),
}

# Names that stay as they are within a sentence.
PROPER = ("Active Directory",)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A clause in words: `department` `is` `Engineering`."""

    subject: str
    verb: str
    value: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.subject, self.verb, self.value) if part)


def phrase(clause: Clause, object_type: ObjectType, translate: Translate = str) -> Phrase:
    """What cannot be understood stays as it is written."""
    attribute, operator = attribute_named(clause.attribute, object_type), operator_named(clause.operator)
    if attribute and operator and (attribute.name, operator.name) in PHRASES:
        subject, verb = PHRASES[attribute.name, operator.name]
        return Phrase(translate(subject), translate(verb))
    value = "" if operator and operator.takes == "nothing" else clause.value
    return Phrase(
        _label(attribute.label, translate) if attribute else clause.attribute,
        translate(operator.words) if operator else clause.operator,
        value,
    )


def _label(label: str, translate: Translate) -> str:
    """Only of English it is known which letters are small within a sentence."""
    translated = translate(label)
    return within_sentence(label) if translated == label else translated


def within_sentence(label: str) -> str:
    """“Display name” -> “display name”; abbreviations and names stay."""
    keeps = label.startswith(PROPER) or label.startswith("extension_") or label[1:2].isupper()
    return label if keeps else label[:1].lower() + label[1:]


def sentence(filters: Sequence[Filter], object_type: ObjectType = "user", translate: Translate = str) -> str:
    """“A person passes if (department is Engineering and account is enabled) or (…).”"""
    if not filters:
        return translate(NO_FILTERS[object_type])
    joined = [clauses_in_words(one, object_type, translate) for one in filters]
    between = f" {translate(OR)} "
    rules = between.join(f"({one})" for one in joined) if len(joined) > 1 else joined[0]
    return translate(SENTENCES[object_type]) % {"rules": rules}


def clauses_in_words(one: Filter, object_type: ObjectType, translate: Translate = str) -> str:
    between = f" {translate(AND)} "
    return between.join(str(phrase(clause, object_type, translate)) for clause in one.clauses)


AND, OR = gettext_noop("and"), gettext_noop("or")

SENTENCES: Mapping[ObjectType, str] = {
    "user": gettext_noop("A person passes if %(rules)s."),
    "group": gettext_noop("A group passes if %(rules)s."),
}

NO_FILTERS: Mapping[ObjectType, str] = {
    "user": gettext_noop("No filters. Everyone who is assigned is in scope."),
    "group": gettext_noop("No filters. Every group that is assigned is in scope."),
}
