"""What surrounds a page. Each part is looked up when the page draws it, and once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from portal.access import first_run
from portal.access.pages import access_table
from portal.access.rights import rights_of, visible_tenants
from portal.access.roles import Right
from portal.access.sessions import ends_in
from portal.frame.menu import marks, menu
from portal.frame.run_pill import RunPill
from portal.words.provisioning import Provisioning, provisioning_of
from sync.approvals import queries, services
from sync.approvals.queries import Waiting
from sync.approvals.services import Decisions
from sync.configuration.drafts import Configurations, ShownDraft, configurations_of
from sync.models import Tenant
from sync.notifications.queries import how_many_ring
from sync.runs.newest import Newest, newest_runs

MOST_TENANTS = 20


class Frame:
    """Of any page: for visitors too."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def tenants(self) -> list[Tenant]:
        """Those to switch to; `ringing` of each is what rings in all that the person sees."""
        user: Any = self.request.user
        seen = visible_tenants(user)
        return list(seen.annotate(ringing=how_many_ring(seen))[:MOST_TENANTS])

    @property
    def ringing(self) -> int:
        """Incidents that nobody looks at yet, of all tenants that the person sees."""
        found: list[Any] = self.tenants
        return found[0].ringing if found else 0

    @property
    def microsoft(self) -> bool:
        """Whether people sign in with Microsoft here."""
        return bool(settings.MICROSOFT_SIGN_IN)

    @property
    def session_seconds(self) -> int:
        """Until the session ends by itself: static/js/frame.js asks before."""
        return ends_in(self.request)

    @property
    def first_owner_needed(self) -> bool:
        return first_run.needed()


@dataclass(frozen=True, slots=True)
class May:
    """By the name of a page: whether the person may do there what it is for."""

    rights: frozenset[Right]

    def __getitem__(self, page: str) -> bool:
        access = access_table()[page]
        return (access.act or access.read) in self.rights

    def open(self, page: str) -> bool:
        return access_table()[page].read in self.rights


class TenantFrame(Frame):
    """Of a page of one tenant."""

    def __init__(self, request: HttpRequest, tenant: Tenant) -> None:
        super().__init__(request)
        self.tenant = tenant

    @classmethod
    def of(cls, request: HttpRequest, tenant: Tenant) -> "TenantFrame":
        """One for the whole request: what a view has looked up is not asked again around it."""
        kept: TenantFrame | None = getattr(request, "tenant_frame", None)
        if kept is None or kept.tenant != tenant:
            kept = cls(request, tenant)
            setattr(request, "tenant_frame", kept)  # noqa: B010 - Django's class has no such attribute
        return kept

    @cached_property
    def may(self) -> "May":
        """Page and partial alike draw only what the person may do: `frame.may.publish`."""
        user: Any = self.request.user
        return May(rights_of(user, self.tenant))

    @cached_property
    def configurations(self) -> Configurations:
        return configurations_of(self.tenant)

    @cached_property
    def draft(self) -> ShownDraft:
        return ShownDraft.of(self.configurations.draft)

    @cached_property
    def newest(self) -> Newest:
        return newest_runs(self.tenant)

    @cached_property
    def decisions(self) -> Decisions:
        return services.decisions(self.tenant, self.newest)

    @property
    def waiting(self) -> Waiting:
        return self.decisions.waiting

    @cached_property
    def provisioning(self) -> Provisioning:
        return provisioning_of(self.tenant, self.waiting)

    @cached_property
    def menu(self) -> list[dict[str, object]]:
        match = self.request.resolver_match
        page = match.url_name or "" if match else ""
        return menu(self.tenant, page, self.draft.keys, self.may.open, self.decisions.count)

    @cached_property
    def marks(self) -> list[dict[str, object]]:
        return marks(self.draft.keys)

    @cached_property
    def pill(self) -> RunPill:
        return RunPill.of(self.newest)

    @cached_property
    def unconfirmed(self) -> dict[str, Any] | None:
        """While provisioning is on and scope or matching changed since the last approval: the plan to look at, if there is one."""
        if not self.tenant.enabled or self.configurations.current.confirmed:
            return None
        return {"plan": queries.newest_plan(self.tenant, self.configurations.current)}
