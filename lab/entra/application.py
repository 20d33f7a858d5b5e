"""The enterprise application in Graph: its service principal, who is assigned to it, its provisioning job."""

import re
from typing import Any

from lab.entra import odata, provisioning
from lab.entra.directory import Directory
from lab.entra.odata import Links
from lab.entra.shapes import not_found
from lab.http import Request

Json = dict[str, Any]


class Application:
    def __init__(self, directory: Directory, links: Links) -> None:
        self.directory = directory
        self.links = links

    def service_principals(self, request: Request, head: str, rest: list[str]) -> Json:
        app, own = self.directory.fact("client_id"), self.directory.fact("service_principal_id")
        shown = {
            "id": own,
            "appId": app,
            "displayName": "AWS IAM Identity Center",
            "accountEnabled": True,
            "servicePrincipalType": "Application",
            "appRoleAssignmentRequired": True,
        }
        if prefix := odata.starts_with(request.parameters.get("$filter", "")):
            name, value = prefix
            found = [shown] if name == "displayName" and str(shown[name]).lower().startswith(value.lower()) else []
            return {"@odata.context": self.links.context("servicePrincipals"), "value": found}
        asked = re.search(r"appId\s*(?:=|eq)\s*'([^']*)'", head + request.parameters.get("$filter", ""))
        if rest[1:] == ["appRoleAssignedTo"] and rest[0] == own:
            return self._app_role_assignments(request, own)
        if asked and head.startswith("servicePrincipals("):
            if asked[1] != app:
                raise not_found(asked[1])
            return {"@odata.context": self.links.context("servicePrincipals/$entity"), **shown}
        if asked:
            return {
                "@odata.context": self.links.context("servicePrincipals"),
                "value": [shown] if asked[1] == app else [],
            }
        if rest == [own]:
            return {"@odata.context": self.links.context("servicePrincipals/$entity"), **shown}
        raise not_found(rest[0] if rest else head)

    def synchronization(self, key: str, rest: list[str]) -> Json:
        """The one job of the application, and its schema."""
        own, directory_id = self.directory.fact("service_principal_id"), self.directory.fact("directory_id")
        if key.lower() != own:
            raise not_found(key)
        path = f"servicePrincipals('{own}')/synchronization/jobs"
        job = provisioning.job(directory_id, own)
        match rest:
            case ["jobs"]:
                return {"@odata.context": self.links.context(path), "value": [job]}
            case ["jobs", job_id, "schema"] if job_id == job["id"]:
                context = self.links.context(f"{path}('{job_id}')/schema/$entity")
                return {"@odata.context": context, **provisioning.schema(directory_id, own)}
        raise not_found("/".join(rest))

    def _app_role_assignments(self, request: Request, own: str) -> Json:
        parameters = request.parameters
        top, after = odata.top(parameters), odata.skip(parameters)
        rows = self.directory.assignments(after, top + 1)
        answer: Json = {"@odata.context": self.links.context("appRoleAssignments")}
        if len(rows) > top:
            path = f"servicePrincipals/{own}/appRoleAssignedTo"
            answer["@odata.nextLink"] = self.links.next(path, parameters, rows[top - 1]["n"])
        return answer | {"value": [self._app_role_assignment(row, own) for row in rows[:top]]}

    def _app_role_assignment(self, row: Any, own: str) -> Json:
        principal = self.directory.object(row["principal_id"])
        return {
            "id": row["id"],
            "appRoleId": row["role"],
            "principalId": row["principal_id"],
            "principalType": row["kind"],
            "principalDisplayName": principal[1].get("displayName") if principal else None,
            "resourceId": own,
            "resourceDisplayName": "AWS IAM Identity Center",
        }
