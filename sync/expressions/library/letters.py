"""Upper and lower case, marks on letters."""

import unicodedata
from functools import lru_cache

from sync.expressions.errors import gettext_noop
from sync.expressions.table import function
from sync.expressions.values import Value, each, text

# .NET changes character by character: ß stays ß; dotted I and dotless i change only in Turkish and Azeri.
TURKISH = ("tr", "az", "tur", "aze")


def is_turkish(culture: str) -> bool:
    return culture.lower().partition("-")[0] in TURKISH


def lowered(source: str, culture: str = "") -> str:
    if is_turkish(culture):
        source = source.replace("I", "ı").replace("İ", "i")
    return source.lower() if source.isascii() else "".join(map(lowered_letter, source))


def raised(source: str, culture: str = "") -> str:
    if is_turkish(culture):
        source = source.replace("i", "İ")
    return source.upper() if source.isascii() else "".join(map(raised_letter, source))


@lru_cache(4096)
def lowered_letter(one: str) -> str:
    return one.lower() if len(one.lower()) == 1 else one


@lru_cache(4096)
def raised_letter(one: str) -> str:
    return one.upper() if len(one.upper()) == 1 and one != "ı" else one


@function(
    "ToLower source culture?",
    gettext_noop("The text in lower case."),
    "ToLower([surname])",
    '"vance"',
    notes=gettext_noop("Works on every value of a list. The culture, such as tr-TR, matters for Turkish and Azeri."),
    idempotent=True,
)
def to_lower(source: Value, culture: Value = None) -> Value:
    return each(lambda found: lowered(found, text(culture)), source)


@function(
    "ToUpper source culture?",
    gettext_noop("The text in upper case."),
    "ToUpper([surname])",
    '"VANCE"',
    notes=gettext_noop("Works on every value of a list. The culture, such as tr-TR, matters for Turkish and Azeri."),
    idempotent=True,
)
def to_upper(source: Value, culture: Value = None) -> Value:
    return each(lambda found: raised(found, text(culture)), source)


# Microsoft lists these kinds of characters as the ones that end a word when no separators are given.
WORD_ENDS = {"Zs", "Zl", "Zp", "Cc", "Cf", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So"}


@function(
    "PCase source wordSeparators?",
    gettext_noop("Every word with a capital first letter, the rest in lower case."),
    'PCase("adele VANCE")',
    '"Adele Vance"',
    notes=gettext_noop(
        "Without wordSeparators, blanks, punctuation and signs end a word, the apostrophe too; "
        "with them, only those characters. Works on every value of a list."
    ),
    idempotent=True,
)
def p_case(source: Value, separators: Value = None) -> Value:
    ends = None if separators is None else set(text(separators))
    return each(lambda found: capitalised(found, ends), source)


def capitalised(source: str, ends: set[str] | None) -> str:
    letters, first = [], True
    for letter in lowered(source):
        letters.append(raised_letter(letter) if first else letter)
        first = letter in ends if ends is not None else unicodedata.category(letter) in WORD_ENDS
    return "".join(letters)


# Letters that do not come apart into a base letter and marks. đ, ð, þ and ħ are not in Microsoft's table.
LETTERS = {"æ": "ae", "ø": "oe", "œ": "oe", "ß": "ss", "ł": "l", "ı": "i"}
LETTERS |= {"Æ": "AE", "Ø": "OE", "Œ": "OE", "ẞ": "SS", "Ł": "L"}


@function(
    "NormalizeDiacritics source",
    gettext_noop("Letters with marks become plain: ä a, é e, ø oe, ß ss."),
    'NormalizeDiacritics("Zoë")',
    '"Zoe"',
    notes=gettext_noop("đ, ð, þ, ħ and other scripts stay. Works on every value of a list."),
    idempotent=True,
)
def normalize_diacritics(source: Value) -> Value:
    return each(plain, source)


def plain(source: str) -> str:
    if source.isascii():
        return source
    letters: list[str] = []
    latin = False
    for letter in unicodedata.normalize("NFD", source):
        if unicodedata.combining(letter):
            if not latin:  # marks of other scripts make other letters: か and が
                letters.append(letter)
            continue
        latin = unicodedata.name(letter, "").startswith("LATIN")
        letters.append(LETTERS.get(letter, letter))
    return unicodedata.normalize("NFC", "".join(letters))
