"""The named checks, in the order in which they run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync.connection.checks import aws, entra
from sync.connection.checks.finding import CheckFinding
from sync.models import Half


@dataclass(frozen=True)
class ConnectionCheck:
    """`needs`: checks without which this one is not done. `note`: said by the label if its facts are known.

    `gates`: a failure means that the half does not work. The token's end is only a date that somebody typed.
    """

    id: str
    half: Half
    label: str | Promise
    function: Callable[[Any], CheckFinding]
    needs: tuple[str, ...] = ()
    note: str | Promise = ""
    gates: bool = True


CHECKS: tuple[ConnectionCheck, ...] = (
    ConnectionCheck("E1", Half.ENTRA, _("IDs have the right form"), entra.ids_have_the_right_form),
    ConnectionCheck(
        "E2",
        Half.ENTRA,
        _("Microsoft sign-in can be reached"),
        entra.sign_in_can_be_reached,
        note=_("%(protocol)s"),
    ),
    ConnectionCheck("E3", Half.ENTRA, _("The directory exists"), entra.directory_exists, needs=("E1", "E2")),
    ConnectionCheck(
        "E4", Half.ENTRA, _("The app can sign in"), entra.app_can_sign_in, needs=("E3",), note=_("%(kind)s")
    ),
    ConnectionCheck(
        "E5",
        Half.ENTRA,
        _("Server clock is right"),
        entra.clock_is_right,
        needs=("E2",),
        note=_("%(seconds)s s apart"),
    ),
    ConnectionCheck("E6", Half.ENTRA, _("May read people"), entra.may_read_people, needs=("E4",), note=_("%(people)s")),
    ConnectionCheck(
        "E7",
        Half.ENTRA,
        _("May read groups and members"),
        entra.may_read_groups,
        needs=("E4",),
        note=_("%(groups)s"),
    ),
    ConnectionCheck("E8", Half.ENTRA, _("Change tracking works"), entra.change_tracking_works, needs=("E6",)),
    ConnectionCheck(
        "E9",
        Half.ENTRA,
        _("Required names present"),
        entra.required_names_are_present,
        needs=("E6",),
        note=_("sample of %(sample)s"),
    ),
    ConnectionCheck(
        "E10",
        Half.ENTRA,
        _("Credential end date"),
        entra.credential_end_date,
        note=_("%(days)s days left"),
        gates=False,
    ),
    ConnectionCheck(
        "A1",
        Half.AWS,
        _("Endpoint has the right form"),
        aws.endpoint_has_the_right_form,
        note=_("%(region)s"),
    ),
    ConnectionCheck(
        "A2",
        Half.AWS,
        _("Endpoint can be reached"),
        aws.endpoint_can_be_reached,
        needs=("A1",),
        note=_("%(protocol)s"),
    ),
    ConnectionCheck("A3", Half.AWS, _("Token is accepted"), aws.token_is_accepted, needs=("A2",)),
    ConnectionCheck("A4", Half.AWS, _("It speaks SCIM 2.0"), aws.speaks_scim, needs=("A3",), note=_("%(features)s")),
    ConnectionCheck("A5", Half.AWS, _("May list users"), aws.may_list_users, needs=("A3",), note=_("%(count)s")),
    ConnectionCheck(
        "A6",
        Half.AWS,
        _("Can find one user by the matching attribute"),
        aws.can_find_one_user,
        needs=("A3",),
        note=_("%(attribute)s"),
    ),
    ConnectionCheck("A7", Half.AWS, _("May list groups"), aws.may_list_groups, needs=("A3",), note=_("%(count)s")),
    ConnectionCheck(
        "A9",
        Half.AWS,
        _("Token end date"),
        aws.token_end_date,
        note=_("%(days)s days left"),
        gates=False,
    ),
)
BY_ID = {check.id: check for check in CHECKS}


def checks_of(half: str) -> tuple[ConnectionCheck, ...]:
    return tuple(check for check in CHECKS if check.half == half)
