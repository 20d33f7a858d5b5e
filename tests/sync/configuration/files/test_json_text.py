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
        ('{"a": "ä"}'.encode("latin-1"), "not text in UTF-8 or UTF-16. Save it as UTF-8"),
        ('{"a": 1}'.encode("utf-16")[:-1], "not text in UTF-8 or UTF-16"),
        ("".encode("utf-16"), "is empty"),
        (b"PK\x03\x04\x14\x00schema.json", "an archive. Unpack it"),
        (b'<Objs Version="1.1.0.1" xmlns="x">', "Export-Clixml, not JSON. Export it with ConvertTo-Json -Depth 20"),
        (b"\n<!DOCTYPE html><html>", "a web page, not JSON"),
        (b"@{id=x; synchronizationRules=System.Object[]}", "shows on the screen, not JSON"),
        (b"\r\nAdditionalProperties : {}\r\nId                   : x\r\n", "shows on the screen, not JSON"),
        (b"\nName                           Value\n----                           -----\n", "shows on the screen"),
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_what_editors_and_powershell_write_is_read(encoding: str) -> None:
    assert json_text.read('{"a": ["ä", "かな"]}'.encode(encoding)) == {"a": ["ä", "かな"]}


def test_a_json_text_that_was_converted_once_more_is_read() -> None:
    assert json_text.read(json.dumps(json.dumps({"a": 1}))) == {"a": 1}
    assert json_text.read('"a text"') == "a text"


def test_the_largest_file_is_read() -> None:
    text = json.dumps(["x" * (LIMIT - 4)])
    assert len(text) == LIMIT
    assert json_text.read(text) == ["x" * (LIMIT - 4)]
