"""The form that is saved: names as the table spells them, everything else as the admin laid it out."""

from itertools import pairwise

from sync.expressions.functions import FUNCTIONS, WORDS
from sync.expressions.tokens import tokens


def canonical(source: str) -> str:
    """Of an expression that was parsed without an error."""
    written, at = [], 0
    for token, following in pairwise(tokens(source)):
        if token.kind == "name":
            known = FUNCTIONS if following.kind == "(" else WORDS
            written += [source[at : token.at], known[token.text.lower()].name]
            at = token.at + len(token.text)
    return "".join([*written, source[at:]]).strip()
