"""JSON that people bring: what is taken, and what is refused in words."""

import json

import pytest

from sync.configuration.files import json_text
from sync.configuration.files.json_text import LIMIT, NotJson

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (b"{", "line 1, column 2"),
        (b'{"a": 1,}', "not JSON"),
        (b'{"a": 1} {"b": 2}', "ends at line 1, column 10, but more text follows"),
        (b'{"a": 1}\nHello', "more text follows"),
        (b'{"a": 1, "a": 2}', "“a” stands twice"),
        (b'{"x": [{"b": {}, "b": {}}]}', "“b” stands twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": 1e999}', "1e999"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not a number"),
        (b'{"a": "\\u0000"}', "U+0000"),
        (b'{"\\ud800": 1}', "U+D800"),
        (b"[" * 300 + b"]" * 300, "deeper than"),
        (b"[" * 200_000 + b"]" * 200_000, "deeper than"),
        ('{"a": "ä"}'.encode("latin-1"), "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b'"' + b"x" * LIMIT + b'"', "larger than 5 MB"),
        (b"not json at all", "not JSON"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_in_words(content: bytes, said: str) -> None:
    with pytest.raises(NotJson) as caught:
        json_text.read(content)
    assert said in str(caught.value)


@pytest.mark.parametrize("content", [b'{"a": ["\xc3\xa4"]}', b'\xef\xbb\xbf{"a": ["\xc3\xa4"]}', '{"a": ["ä"]}'])
def test_utf8_is_read_with_and_without_a_byte_order_mark(content: bytes | str) -> None:
    assert json_text.read(content) == {"a": ["ä"]}


def test_the_largest_file_is_read() -> None:
    text = json.dumps(["x" * (LIMIT - 4)])
    assert len(text) == LIMIT
    assert json_text.read(text) == ["x" * (LIMIT - 4)]
