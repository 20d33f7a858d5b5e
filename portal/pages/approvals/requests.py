"""What waits for a second person, as rows of the page Approvals."""

from dataclasses import dataclass

from django.urls import reverse

from portal.access.request import HttpRequest
from portal.access.rights import can
from portal.access.roles import Right
from portal.words.requests import Change, request_changes, request_place, request_title
from sync.change_requests.services import causers_of_request
from sync.configuration import second_person
from sync.models import ChangeRequest, Tenant


@dataclass(frozen=True, slots=True)
class RequestRow:
    """`own`: the reader asked for it, or made what it is about. `others`: who could approve it."""

    request: ChangeRequest
    title: str
    changes: list[Change]
    url: str
    own: bool
    may_decide: bool
    others: list[str]


def request_rows(request: HttpRequest, tenant: Tenant) -> list[RequestRow]:
    return [_row(request, tenant, one) for one in tenant.change_requests.waiting().select_related("tenant")]


def _row(request: HttpRequest, tenant: Tenant, waiting: ChangeRequest) -> RequestRow:
    causers = causers_of_request(waiting)
    name, args = request_place(waiting)
    return RequestRow(
        request=waiting,
        title=request_title(waiting),
        changes=request_changes(waiting),
        url=reverse(name, args=args),
        own=waiting.asked_by == request.user.email,
        may_decide=can(request.user, tenant, Right.APPROVE) and second_person.may_decide(request.user.email, causers),
        others=second_person.others(tenant, causers),
    )
