"""The whole table: functions, bare words, and the names that Microsoft has and this product has not."""

from sync.expressions.errors import gettext_noop
from sync.expressions.library import asking, choosing, codes, letters, lists, moments, replacing, texts
from sync.expressions.table import FUNCTIONS, Function, Keyword
from sync.expressions.values import IGNORE, IGNORE_OBJECT

__all__ = [
    "FUNCTIONS",
    "LIBRARY",
    "UNAVAILABLE",
    "UNAVAILABLE_NAMES",
    "WORDS",
    "Function",
    "Keyword",
    "why_unavailable",
]

LIBRARY = (asking, choosing, codes, letters, lists, moments, replacing, texts)  # each enters its functions

WORDS: dict[str, Keyword] = {
    word.name.lower(): word
    for word in [
        Keyword("vbBinaryCompare", "vbBinaryCompare", gettext_noop("InStr: upper and lower case are different.")),
        Keyword("vbTextCompare", "vbTextCompare", gettext_noop("InStr: upper and lower case are the same.")),
        Keyword("Unicode", "Unicode", gettext_noop("ConvertFromBase64: the bytes are UTF-16.")),
        Keyword("UTF8", "UTF8", gettext_noop("ConvertFromBase64: the bytes are UTF-8.")),
        Keyword("ASCII", "ASCII", gettext_noop("ConvertFromBase64: the bytes are ASCII.")),
        Keyword("IgnoreAttributeFlow", IGNORE, gettext_noop("The attribute in AWS stays as it is.")),
        Keyword("IgnoreObjectFlow", IGNORE_OBJECT, gettext_noop("The whole object in AWS stays as it is.")),
    ]
}

# Functions of Entra Connect with the one that does it here.
INSTEAD = {
    "IsEmpty": "IsNullOrEmpty",
    "ItemOrNull": "Item",
    "LCase": "ToLower",
    "LTrim": "Trim",
    "PadLeft": "Replace",
    "PadRight": "Replace",
    "RandomNum": "RandomString",
    "ReplaceChars": "Replace",
    "Right": "Replace",
    "RTrim": "Trim",
    "UCase": "ToUpper",
}
CONNECT = gettext_noop("Microsoft documents %(name)s for Microsoft Entra Connect, not for provisioning.")
CONNECT_INSTEAD = gettext_noop(
    "Microsoft documents %(name)s for Microsoft Entra Connect, not for provisioning. Take %(instead)s."
)
# Names that the error can say more about than "unknown".
UNAVAILABLE: dict[str, str] = {
    "AppRoleAssignments": gettext_noop("%(name)s is not available. Take AppRoleAssignmentsComplex."),
    "DefaultDomain": gettext_noop(
        "%(name)s would need the domains of your Entra tenant, which are not read. Write the domain between quotes."
    ),
    "StringFromSid": gettext_noop("%(name)s is not needed: onPremisesSecurityIdentifier is a text already."),
    **dict.fromkeys(
        (
            *("BitOr", "CGuid", "CNum", "Contains", "ConvertFromUTF8Hex", "CRef", "DNComponentRev"),
            *("EscapeDNComponent", "InStrRev", "IsBitSet", "IsDate", "IsGuid", "IsNumeric"),
            *("Select", "Where", "With"),
        ),
        CONNECT,
    ),
    **dict.fromkeys(INSTEAD, CONNECT_INSTEAD),
}
UNAVAILABLE_NAMES = {name.lower(): name for name in UNAVAILABLE}


def why_unavailable(name: str) -> tuple[str, dict[str, str]]:
    """Why the function cannot be used, as a template with its facts."""
    return UNAVAILABLE[name], {"name": name, "instead": INSTEAD.get(name, "")}
