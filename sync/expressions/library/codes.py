"""Numbers, encodings, chance."""

import base64
import binascii
import string
import uuid
from collections.abc import Sequence
from random import Random

from sync.expressions.errors import Failure, gettext_noop
from sync.expressions.table import Code, Surroundings, function
from sync.expressions.values import Value, each, is_empty, text, whole


@function(
    "BitAnd value1 value2",
    gettext_noop("The bits that are set in both numbers."),
    "BitAnd(&HF, &HF7)",
    "7",
    notes=gettext_noop("Null gives null."),
    result="number",
)
def bit_and(value1: Value, value2: Value) -> Value:
    return None if is_empty(value1) or is_empty(value2) else whole(value1) & whole(value2)


@function(
    "CStr value",
    gettext_noop("The value as text."),
    "CStr([accountEnabled])",
    '"True"',
    notes=gettext_noop("Null gives null; several values are an error."),
)
def c_str(value: Value) -> Value:
    return None if value is None else text(value)


@function(
    "ConvertToBase64 source",
    gettext_noop("The text in Base64, from its UTF-16 form."),
    'ConvertToBase64("Hi")',
    '"SABpAA=="',
    notes=gettext_noop("Works on every value of a list."),
)
def convert_to_base64(source: Value) -> Value:
    return each(lambda found: base64.b64encode(found.encode("utf-16-le", "surrogatepass")).decode(), source)


NOT_BASE64 = gettext_noop("“%(value)s” is not Base64 of %(encoding)s text.")
NO_ENCODING = gettext_noop("There is no encoding %(name)s. Expected Unicode, UTF8 or ASCII.")
ENCODINGS = {"": "utf-16-le", "unicode": "utf-16-le", "utf8": "utf-8", "ascii": "ascii"}


@function(
    "ConvertFromBase64 source encoding?",
    gettext_noop("The text behind Base64. The encoding is Unicode (UTF-16), UTF8 or ASCII."),
    'ConvertFromBase64("SABpAA==")',
    '"Hi"',
    notes=gettext_noop("Works on every value of a list. Without an encoding it is Unicode."),
)
def convert_from_base64(source: Value, encoding: Value = None) -> Value:
    name = text(encoding)
    if name.lower() not in ENCODINGS:
        raise Failure(NO_ENCODING, name=name[:20])
    return each(lambda found: from_base64(found, ENCODINGS[name.lower()]), source)


def from_base64(source: str, encoding: str) -> str:
    try:
        return base64.b64decode(source, validate=True).decode(encoding)
    except (binascii.Error, ValueError) as error:
        raise Failure(NOT_BASE64, value=source[:40], encoding=encoding.upper()) from error


@function(
    "ConvertToUTF8Hex source",
    gettext_noop("The UTF-8 form of the text in hexadecimal."),
    'ConvertToUTF8Hex("Hi")',
    '"4869"',
    notes=gettext_noop("Works on every value of a list."),
)
def convert_to_utf8_hex(source: Value) -> Value:
    return each(lambda found: found.encode("utf-8", "surrogatepass").hex().upper(), source)


@function(
    "Guid",
    gettext_noop("A new random identifier, another one each time."),
    "Guid()",
    "",
    lazy=True,
    steady=False,
)
def guid(evaluation: Surroundings, _arguments: Sequence[Code]) -> Value:
    return str(uuid.UUID(int=evaluation.random.getrandbits(128), version=4))


SPECIAL = "!#$%&()*+,-./:;<=>?@[]^_{|}~"
BAD_LENGTH = gettext_noop("RandomString can make 1 to 256 characters, and at least the sum of the minimums.")
NOTHING_LEFT = gettext_noop("RandomString has no characters left to choose from. Avoid fewer.")


@function(
    "RandomString Length MinimumNumbers MinimumSpecialCharacters MinimumCapital MinimumLowerCase CharactersToAvoid?",
    gettext_noop("A random text with at least so many characters of each kind, another one each time."),
    'RandomString(10, 2, 2, 2, 1, "?,")',
    "",
    notes=gettext_noop("At most 256 characters, and not fewer than the minimums together."),
    lazy=True,
    steady=False,
)
def random_string(evaluation: Surroundings, arguments: Sequence[Code]) -> Value:
    length, *minimums = (whole(argument(evaluation)) for argument in arguments[:5])
    minimums = [max(minimum, 0) for minimum in minimums]
    if not max(sum(minimums), 1) <= length <= 256:
        raise Failure(BAD_LENGTH)
    avoid = text(arguments[5](evaluation)) if len(arguments) > 5 else ""
    return shuffled(wanted_kinds(length, minimums, avoid), evaluation.random)


def wanted_kinds(length: int, minimums: Sequence[int], avoid: str) -> list[str]:
    """For each character of the text those to choose it from; kinds that nobody asked for stay out."""
    kinds = (string.digits, SPECIAL, string.ascii_uppercase, string.ascii_lowercase)
    pools = ["".join(one for one in kind if one not in avoid) for kind in kinds]
    wanted = [pool for pool, minimum in zip(pools, minimums, strict=True) for _ in range(minimum)]
    anything = "".join(pool for pool, minimum in zip(pools, minimums, strict=True) if minimum)
    return wanted + [anything or pools[3]] * (length - len(wanted))


def shuffled(pools: list[str], random: Random) -> str:
    if not all(pools):
        raise Failure(NOTHING_LEFT)
    characters = [random.choice(pool) for pool in pools]
    random.shuffle(characters)
    return "".join(characters)
