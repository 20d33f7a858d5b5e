"""What surrounds a page. Each part is looked up when the page draws it, and once."""

from functools import cached_property
from typing import Any

from django.http import HttpRequest

from portal.access import first_run
from portal.access.rights import rights_of, visible_tenants
from portal.access.sessions import ends_in
from portal.frame.menu import marks, menu
from portal.frame.run_pill import RunPill
from sync.approvals import queries
from sync.configuration.current import configuration_of
from sync.configuration.drafts import ShownDraft
from sync.models import Tenant

MOST_TENANTS = 20


class Frame:
    """Of any page: for visitors too."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def tenants(self) -> list[Tenant]:
        """Those to switch to."""
        user: Any = self.request.user
        return list(visible_tenants(user)[:MOST_TENANTS])

    @property
    def session_seconds(self) -> int:
        """Until the session ends by itself: static/js/frame.js asks before."""
        return ends_in(self.request)

    @property
    def first_owner_needed(self) -> bool:
        return first_run.needed()


class TenantFrame(Frame):
    """Of a page of one tenant."""

    def __init__(self, request: HttpRequest, tenant: Tenant) -> None:
        super().__init__(request)
        self.tenant = tenant

    @cached_property
    def rights(self) -> set[str]:
        """Page and partial alike draw only what the person may do."""
        user: Any = self.request.user
        return {right.value for right in rights_of(user, self.tenant)}

    @cached_property
    def draft(self) -> ShownDraft:
        return ShownDraft.of(self.tenant)

    @cached_property
    def menu(self) -> list[dict[str, object]]:
        match = self.request.resolver_match
        return menu(self.tenant, match.url_name or "" if match else "", self.draft.keys)

    @cached_property
    def marks(self) -> list[dict[str, object]]:
        return marks(self.draft.keys)

    @cached_property
    def pill(self) -> RunPill:
        return RunPill.of(self.tenant)

    @cached_property
    def unconfirmed(self) -> dict[str, Any] | None:
        """While provisioning is on and scope or matching changed since the last approval: the plan to look at, if there is one."""
        if not self.tenant.enabled or configuration_of(self.tenant).confirmed:
            return None
        return {"plan": queries.newest_plan(self.tenant)}
