"""Every construct of a .NET pattern: what it finds, or why it is refused and where."""

import pytest

from sync.expressions import EvaluationError, ExpressionLimits, evaluate, parse
from sync.expressions.dotnet import NOT_IN_RE2, PatternError, translated
from sync.expressions.patterns import compiled, expanded

pytestmark = pytest.mark.pure


def costs_nothing(_steps: int) -> None:
    """A step counter that does not count."""


def found(pattern: str, text: str) -> list[str]:
    return [text[slice(*match.span)] for match in compiled(pattern).matches(text, costs_nothing)]


# What .NET finds, by its documentation: pattern, text, matches.
FINDS: list[tuple[str, str, list[str]]] = [
    # characters
    ("a.c", "abc a\nc a😀c", ["abc", "a😀c"]),
    (r"\.\*\[\{", ".*[{", [".*[{"]),
    (r"\t\n\r\f\v\a\e", "\t\n\r\f\v\a\x1b", ["\t\n\r\f\v\a\x1b"]),
    (r"\x41\u00e9\cA\0\033", "Aé\x01\x00\x1b", ["Aé\x01\x00\x1b"]),
    (r"\uD83D\uDE00", "x😀", ["😀"]),
    ("é😀", "xé😀", ["é😀"]),
    ("a{b}{,2}", "a{b}{,2}", ["a{b}{,2}"]),  # not a repetition: taken as it is written
    # shorthands are Unicode
    (r"\d+", "12٣४a", ["12٣४"]),
    (r"\D+", "1é2", ["é"]),
    (r"\w+", "Zoë_2 かな-x", ["Zoë_2", "かな", "x"]),
    (r"\W+", "é-–ü", ["-–"]),
    (r"\s+", "a\u00a0\u2003\x85\v b", ["\u00a0\u2003\x85\v "]),
    (r"\S+", "é\u00a0x", ["é", "x"]),
    (r"\p{Lu}", "aÄB", ["Ä", "B"]),
    (r"\P{L}+", "aé12ü", ["12"]),
    # brackets
    ("[abc]+", "xcab", ["cab"]),
    ("[^abc]+", "axéb", ["xé"]),
    ("[]a]+", "x]a", ["]a"]),
    ("[^]a]+", "x]a", ["x"]),
    ("[a-c-]+", "b-d", ["b-"]),
    ("[-a]+", "b-a", ["-a"]),
    (r"[\d\s_]+", "a٣ _", ["٣ _"]),
    (r"[\W_]+", "a_-é", ["_-"]),
    (r"[^\W\d]+", "é1b", ["é", "b"]),
    (r"[\p{L}']+", "O'Connor2", ["O'Connor"]),
    (r"[\b]", "a\bb", ["\b"]),
    (r"[\x41-\u0043]+", "xABC", ["ABC"]),
    (r"[.$^|(){}*+?]+", "a.$^|(){}*+?", [".$^|(){}*+?"]),
    ("[a-z-[aeiou]]+", "abcde", ["bcd"]),
    (r"[\w-[\d_]]+", "é1_b", ["é", "b"]),
    ("[a-z-[d-w-[m]]]+", "admz", ["a", "mz"]),
    ("[^a-c-[x]]+", "axyb", ["y"]),
    ("[a-[a]]", "a", []),
    # anchors
    (r"^a", "aa", ["a"]),
    (r"\Aa", "a\na", ["a"]),
    (r"a$", "a\na", ["a"]),
    (r"a$", "a\na\n", ["a"]),
    (r"a\Z", "a\n", ["a"]),
    (r"a\Z", "a\n\n", []),
    (r"a\z", "a\n", []),
    (r"a\z", "a", ["a"]),
    (r"a\n$", "a\n", ["a\n"]),
    (r"x\ny$", "x\ny\n", ["x\ny"]),
    (r"\s$", "a \n", [" ", "\n"]),
    (r"[^a]y$", "x\ny", ["\ny"]),
    (r".+$", "a\nb\n", ["b"]),
    ("(?m)^a$", "a\na\nb", ["a", "a"]),
    # repetition
    ("a*b", "aab b", ["aab", "b"]),
    ("a{2}", "aaaa", ["aa", "aa"]),
    ("a{1,2}?", "aa", ["a", "a"]),
    ("a{2,}", "aaa a", ["aaa"]),
    ("a+?b??", "aab", ["a", "a"]),
    ("(?:ab)+", "abab", ["abab"]),
    ("[a-z]*", "ab1", ["ab", "", ""]),
    ("x*", "ab", ["", "", ""]),
    ("a|ab", "ab", ["a"]),  # the first alternative, not the longest
    ("a||b", "b", ["", ""]),
    # options and comments
    ("(?i)straße", "STRAßE", ["STRAßE"]),
    ("a(?i)b", "aB AB", ["aB"]),
    ("a(?i:b)c", "aBc aBC", ["aBc"]),
    ("(?i)a(?-i)b", "Ab AB", ["Ab"]),
    ("(?i)[a-c]+", "xAbC", ["AbC"]),
    ("(?s)a.b", "a\nb", ["a\nb"]),
    ("(?s-s:a.b)", "a\nb", []),
    ("(?x) a b # both\n c\\ [ ]", "abc  ", ["abc  "]),
    ("a(?#comment)b", "ab", ["ab"]),
    ("a(?#comment)*b", "aab", ["aab"]),
    # halves of characters, and the stand-in for a newline, in the text
    (".", "\ud800x", ["\ud800", "x"]),
    (r"\n", "\ufdd0\n", ["\n"]),
    (r"\n|x$", "\ufdd0\nx", ["\n", "x"]),
]


@pytest.mark.parametrize(("pattern", "text", "matches"), FINDS, ids=[f"{one[0]!r} in {one[1]!r}" for one in FINDS])
def test_a_pattern_finds_what_dotnet_finds(pattern: str, text: str, matches: list[str]) -> None:
    assert found(pattern, text) == matches


# pattern, offset, part of the reason
REFUSED = [
    ("a(?=b)", 1, "looks around"),
    ("a(?!b)", 1, "looks around"),
    ("(?<=a)b", 0, "looks around"),
    ("(?<!a)b", 0, "looks around"),
    ("a(?>b)", 1, "atomic"),
    ("(a)(?(1)b|c)", 3, "condition"),
    ("(?<a>x)(?<b-a>y)", 7, "balancing"),
    (r"(a)\1", 3, "repeats what a group found"),
    (r"(?<n>a)\k<n>", 7, "repeats what a group found"),
    (r"x\bword", 1, "edge of a word"),
    (r"\B", 0, "edge of a word"),
    (r"\Ga", 0, "end of the last match"),
    (r"\p{IsGreek}", 0, "not a category"),
    (r"\p{C}", 0, "not a category"),
    (r"\pL", 0, "not a category"),
    (r"[\p{Foo}]", 1, "not a category"),
    (r"a\q", 1, "has no meaning in a .NET pattern"),
    (r"\Qa\E", 0, "has no meaning in a .NET pattern"),
    (r"\xZ1", 0, "has no meaning in a .NET pattern"),
    (r"\u12", 0, "has no meaning in a .NET pattern"),
    (r"\_", 0, "has no meaning in a .NET pattern"),
    ("[[:alpha:]]", 1, "has no meaning in a .NET pattern"),
    ("ab\\", 2, "ends within"),
    ("[\\", 1, "ends within"),
    ("x(a", 1, "not closed"),
    ("x[a", 1, "not closed"),
    ("[]", 0, "not closed"),
    ("[a-[b]", 0, "not closed"),
    ("(?<n", 0, "not closed"),
    ("(?#a", 0, "not closed"),
    ("a)b", 1, "no ( for this )"),
    ("*a", 0, "nothing to repeat"),
    ("a|+", 2, "nothing to repeat"),
    ("({2})", 1, "nothing to repeat"),
    ("(?i)*", 4, "nothing to repeat"),
    ("a**", 2, "repeated already"),
    ("a{2}{3}", 4, "repeated already"),
    ("a++", 2, "repeated already"),
    ("a{2}??", 5, "repeated already"),
    ("a{1001}", 1, "more than 1000 times"),
    ("a{3,2}", 1, "backwards"),
    ("[z-a]", 1, "backwards"),
    (r"[a-\d]", 1, "end of a range"),
    ("[a-[b]c]", 2, "last thing in its brackets"),
    ("(?i)[a-z-[b]]", 8, "combined with the option i"),
    ("(?P<n>a)", 0, "no group known in .NET"),
    ("(?", 0, "no group known in .NET"),
    ("(?<1>a)", 3, "no name for a group"),
    ("(?<>a)", 3, "no name for a group"),
    (r"\uD83D", 0, "half a character"),
    ("(?m:^a)b$", 8, "another part of the pattern looks at lines"),
    (r"(?m:a$)|b\Z", 9, "another part of the pattern looks at lines"),
    ("(" * 51 + ")" * 51, 50, "More than 50 groups"),
    (r"(\w{300}){300}", 0, "too large"),
]


@pytest.mark.parametrize(("pattern", "at", "reason"), REFUSED, ids=[repr(one[0])[:30] for one in REFUSED])
def test_a_pattern_is_refused_with_place_and_reason(pattern: str, at: int, reason: str) -> None:
    with pytest.raises(PatternError) as caught:
        compiled(pattern)
    assert reason in str(caught.value)
    assert caught.value.at == at


@pytest.mark.parametrize("part", NOT_IN_RE2)
def test_what_help_pages_list_as_refused_is(part: str) -> None:
    with pytest.raises(PatternError):
        compiled(f"(?<a>x)(?<name>x){part.replace('…', 'a')}")


def test_what_was_refused_once_is_refused_again() -> None:
    for _ in range(2):
        with pytest.raises(PatternError):
            compiled("(?=a)")


def test_nothing_is_handed_over_as_it_stands() -> None:
    """RE2's own words that .NET has not stay characters or are refused; \\d is not RE2's."""
    assert translated(r"\d").source == r"[\p{Nd}]"
    assert translated("#: ").source == r"\x{23}\x{3A}\x{20}"
    assert r"\w" not in translated(r"\w+").source


# pattern, text, replacement, result: Microsoft, "Substitutions in regular expressions"
REPLACES = [
    ("(a)(b)", "xaby", "$2$1", "xbay"),
    ("(?<n>a)(b)", "ab", "$1", "b"),  # groups without a name are counted first
    ("(?<n>a)(b)", "ab", "$2", "a"),
    ("(?'n'a)", "a", "<${n}>", "<a>"),
    ("(?<first>a)|(?<first>b)", "ab", "[${first}]", "[a][b]"),
    ("(a)|b", "b", "<$1>", "<>"),  # took no part
    ("(?n)(a)(?<x>b)", "ab", "$1$2", "b$2"),
    ("a", "xay", "$$", "x$y"),
    ("a", "xay", "<$&>", "x<a>y"),
    ("a", "xay", "<$0>", "x<a>y"),
    ("a", "xay", "<$`|$'>", "x<x|y>y"),
    ("a", "xay", "<$_>", "x<xay>y"),
    ("(a)(b)", "ab", "$+", "b"),
    ("(a)", "a", "$2${none}$x${", "$2${none}$x${"),  # no such group: stays as it is written
    ("(a)", "a", "${1}0", "a0"),
    ("(a)", "a", "$10", "$10"),
    ("a", "a", r"\1\n", r"\1\n"),
]


@pytest.mark.parametrize(("pattern", "text", "replacement", "result"), REPLACES)
def test_a_replacement_is_filled_as_in_dotnet(pattern: str, text: str, replacement: str, result: str) -> None:
    source = "Replace([text], , [pattern], , [replacement], , )"
    assert evaluate(parse(source), {"text": text, "pattern": pattern, "replacement": replacement}) == result


def test_a_group_that_takes_no_part_is_not_replaced() -> None:
    assert evaluate(parse('Replace("ab", , "(?<g>a)|b", "g", "-", , )'), {}) == "-b"


def test_a_named_group_of_an_empty_match_is_filled() -> None:
    (match,) = compiled("(?<n>x*)$").matches("", costs_nothing)
    assert expanded("<${n}>", match) == "<>"


def test_the_same_pattern_is_compiled_once() -> None:
    assert compiled("once[a-z]+") is compiled("once[a-z]+")


def test_a_pattern_from_data_is_refused_for_the_object() -> None:
    with pytest.raises(EvaluationError, match="looks around") as caught:
        evaluate(parse('Append("x", Replace("a", , [p], , "", , ))'), {"p": "(?=a)"})
    assert (caught.value.line, caught.value.column) == (1, 13)


def test_a_group_from_data_has_to_exist() -> None:
    with pytest.raises(EvaluationError, match="no group zip"):
        evaluate(parse('Replace("a", , "(?<g>a)", [g], "", , )'), {"g": "zip"})


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)+b", "(.*)(.*)(.*)(.*)(.*)b", "(a?){50}a{50}", ".*b|a"])
def test_a_pattern_that_others_hang_on_ends_within_its_steps(pattern: str) -> None:
    expression = parse(f'Replace([x], , "{pattern}", , "", , )')
    with pytest.raises(EvaluationError, match="more than 200 steps"):
        evaluate(expression, {"x": "a" * 9_000 + "c"}, limits=ExpressionLimits(steps=200))
    assert evaluate(parse('Replace([x], , "(a+)+b", , "", , )'), {"x": "a" * 9_000}) == "a" * 9_000


def test_a_replacement_that_grows_too_large_is_stopped() -> None:
    with pytest.raises(EvaluationError, match="more than 1000 characters"):
        evaluate(parse('Replace([x], , ".", , "$_", , )'), {"x": "a" * 100}, limits=ExpressionLimits(output=1_000))
