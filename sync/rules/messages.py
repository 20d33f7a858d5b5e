"""What is wrong with a mapping row, in words."""

from sync.expressions.errors import gettext_noop

MESSAGES: dict[str, str] = {
    "unknown-target": gettext_noop(
        "AWS has no field “%(target)s” that it accepts. Choose one from the list of AWS fields."
    ),
    "duplicate-target": gettext_noop(
        "“%(target)s” already has a mapping. A field gets its value from one row. Edit that row instead."
    ),
    "one-list-value": gettext_noop(
        "AWS takes a single item in %(list)s, and “%(other)s” already fills it. AWS would refuse the person. "
        "Remove that mapping first, or do without this one."
    ),
    "source-empty": gettext_noop(
        "There is no source, so this field would never get a value. Enter one, or remove the mapping."
    ),
    "source-needed": gettext_noop(
        "“%(target)s” needs a source: AWS requires it, or people are found by it. Choose another type."
    ),
    "unknown-source": gettext_noop(
        "Entra has no attribute “%(source)s” that can be read here. "
        "Choose one from the list of attributes; names of directory extensions begin with extension_."
    ),
    "expression": gettext_noop("Line %(line)d, column %(column)d: %(message)s"),
    "several-values-source": gettext_noop(
        "“%(source)s” can have several values, and AWS takes one. Choose one with an expression: Item([%(source)s], 1)."
    ),
    "reference-needed": gettext_noop(
        "“%(target)s” points to another object. Choose the type Reference and the source %(source)s."
    ),
    "not-a-reference": gettext_noop(
        "“%(target)s” takes a text, but a reference points to another object. Choose another type."
    ),
    "constant-matching": gettext_noop(
        "A constant is the same for everybody, so nobody could be told apart by it. "
        "Match on a field with a direct mapping, or clear the match number."
    ),
    "matching-unfilterable": gettext_noop(
        "AWS cannot be searched by “%(target)s”. It finds objects by %(filterable)s. "
        "Match on one of them, or clear the match number."
    ),
    "random": gettext_noop(
        "%(function)s gives another value each time, so every run would change this field. Choose “Only when created”."
    ),
    "too-long": gettext_noop(
        "The text has %(length)d characters, and AWS takes at most %(limit)d in “%(target)s”. Shorten it."
    ),
    "not-true-or-false": gettext_noop(
        "“%(target)s” takes true or false, but the value is “%(value)s”. Use an expression that gives True or False."
    ),
    "several-values": gettext_noop(
        "“%(target)s” takes one value, but there are %(count)d. Choose one with an expression: Item(…, 1)."
    ),
    "object-ignored": gettext_noop(
        "The expression says IgnoreObjectFlow for this object, so nothing of it is written."
    ),
    "matching-random": gettext_noop(
        "%(function)s gives another value each time, so nobody could be found by it. "
        "Match on another field, or clear the match number."
    ),
    "matching-taken": gettext_noop(
        "“%(other)s” is tried as number %(number)d already. Choose another number, or change the order afterwards."
    ),
    "value-refused": gettext_noop(
        "AWS refuses this value in “%(target)s”: %(value)s, of %(name)s. It has a character that AWS does not take there."
    ),
    "value-too-long": gettext_noop(
        "The value of %(name)s has %(length)d characters, and AWS takes at most %(limit)d in “%(target)s”."
    ),
    "value-doubtful": gettext_noop(
        "AWS may refuse this value: %(value)s, of %(name)s. Microsoft lists such characters as refused, AWS does not."
    ),
    "required-row": gettext_noop(
        "AWS requires this field. Without it AWS refuses everybody who is new. "
        "Change the mapping instead of removing it."
    ),
    # Told, and saved all the same
    "disable-off": gettext_noop("Nobody who leaves is disabled in AWS: disabling is turned off."),
    "leavers-stay": gettext_noop(
        "Nobody who leaves is disabled in AWS: no mapping makes “active” false for whoever is blocked in Entra, deleted "
        "there or taken out of scope."
    ),
    "unassigned-stay": gettext_noop(
        "Whoever is taken out of scope stays active in AWS: “active” becomes false only for accounts that are blocked or "
        "deleted in Entra."
    ),
    "some-leavers-stay": gettext_noop(
        "Some who leave stay active in AWS: “active” does not become false for everybody who is blocked in Entra, deleted "
        "there or taken out of scope."
    ),
}


def message(code: str, **params: str | int) -> str:
    return MESSAGES[code] % params
