"""Users, groups and other directory objects of Graph: one by its id, members, many by ids, collections."""

import json
from typing import Any

from lab.entra import odata
from lab.entra.directory import Directory
from lab.entra.odata import Links
from lab.entra.shapes import (
    DEFAULTS,
    GROUP_DEFAULT,
    OTHER_DEFAULT,
    USER_DEFAULT,
    bad,
    decode_token,
    not_found,
    selected,
)
from lab.entra.switches import GraphSwitches
from lab.http import Request

Json = dict[str, Any]
MAX_IDS = 1000


class Objects:
    def __init__(self, directory: Directory, switches: GraphSwitches, links: Links) -> None:
        self.directory = directory
        self.switches = switches
        self.links = links

    def user(self, request: Request, key: str) -> Json:
        user = self._require_user(key)
        shown = selected(user, odata.select(request), USER_DEFAULT)
        if "manager" in request.parameters.get("$expand", "") and user["_manager"]:
            shown["manager"] = {"@odata.type": "#microsoft.graph.user", "id": user["_manager"]}
        return {"@odata.context": self.links.context("users/$entity"), **shown}

    def manager(self, request: Request, key: str) -> Json:
        user = self.directory.user(key)
        manager = self.directory.user(user["_manager"]) if user and user["_manager"] else None
        if manager is None:
            raise not_found("manager")
        shown = selected(manager, odata.select(request), USER_DEFAULT)
        return {
            "@odata.context": self.links.context("directoryObjects/$entity"),
            "@odata.type": "#microsoft.graph.user",
            **shown,
        }

    def group(self, request: Request, key: str) -> Json:
        shown = selected(self._require_group(key), odata.select(request), GROUP_DEFAULT)
        return {"@odata.context": self.links.context("groups/$entity"), **shown}

    def _require_group(self, key: str) -> Json:
        group = self.directory.group(key)
        if group is None:
            raise not_found(key)
        return group

    def _require_user(self, key: str) -> Json:
        user = self.directory.user(key)
        if user is None:
            raise not_found(key)
        return user

    def organization(self) -> Json:
        domain = self.directory.fact("domain")
        organization = {
            "id": self.directory.fact("directory_id"),
            "displayName": self.directory.fact("company", "Contoso"),
            "verifiedDomains": [
                {"name": domain, "isDefault": True, "isInitial": True, "capabilities": "Email", "type": "Managed"}
            ],
        }
        return {"@odata.context": self.links.context("organization"), "value": [organization]}

    # Members

    def members(self, request: Request, key: str, relation: str, cast: list[str]) -> Json:
        self._require_group(key)
        if relation == "members":
            members = self.directory.members(key)
            most = self.switches["drop_members_of"].get(key)
            members = [row for row in members if not self.switches.leaves_out("members", row[0])][:most]
        else:
            members = self.directory.transitive_members(key)
        return self._directory_objects(request, "/".join(["groups", key, relation, *cast]), members, cast)

    def groups_of(self, request: Request, key: str, relation: str, cast: list[str]) -> Json:
        """Groups and directory roles; of groups in groups those too when it is transitive."""
        holders = self.directory.holders(self._require_user(key)["id"], transitive=relation == "transitiveMemberOf")
        return self._directory_objects(request, "/".join(["users", key, relation, *cast]), holders, cast)

    def _directory_objects(self, request: Request, path: str, rows: list[tuple[str, str]], cast: list[str]) -> Json:
        """A page of (id, kind), in the order of ids; `cast` selects one type."""
        parameters = request.parameters
        top = odata.top(parameters)
        after = str(decode_token(parameters["$skiptoken"])) if "$skiptoken" in parameters else ""
        wanted = [f"microsoft.graph.{kind}" for _key, kind in rows] if cast else []
        kept = [row for n, row in enumerate(rows) if row[0] > after and (not cast or wanted[n] == cast[0])]
        answer: Json = {"@odata.context": self.links.context("directoryObjects")}
        if len(kept) > top:
            answer["@odata.nextLink"] = self.links.next(path, parameters, kept[top - 1][0])
        return answer | {"value": [self._directory_object(object_id, kind, request) for object_id, kind in kept[:top]]}

    def _directory_object(self, object_id: str, kind: str, request: Request) -> Json:
        """Without a right on its type Graph shows the type and the id alone (limited information)."""
        found = self.directory.object(object_id)
        body = {"id": object_id} if found is None or self.switches["limited_info"] else found[1]
        shown = selected(body, odata.select(request), DEFAULTS.get(kind, OTHER_DEFAULT))
        if self.switches["limited_info"]:
            shown = {name: object_id if name == "id" else None for name in shown}
        return {"@odata.type": f"#microsoft.graph.{kind}", **shown}

    def by_ids(self, request: Request) -> Json:
        """Unknown and deleted ids are left out, repeated ones appear once."""
        try:
            body = json.loads(request.body)
            ids, types = list(body["ids"]), body.get("types") or []
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise bad("Invalid request body.") from error
        if len(ids) > MAX_IDS:
            raise bad(f"Too many items specified in 'ids': the limit is {MAX_IDS}.")
        found = [(key, self.directory.object(key)) for key in dict.fromkeys(ids)]
        shown = [(key, object_[0]) for key, object_ in found if object_ and (not types or object_[0] in types)]
        value = [self._directory_object(key, kind, request) for key, kind in shown]
        return {"@odata.context": self.links.context("directoryObjects"), "value": value}

    def extension_properties(self, request: Request) -> Json:
        """`isSyncedFromOnPremises` in the body selects those that are, or those that are not."""
        try:
            synced = json.loads(request.body or b"{}").get("isSyncedFromOnPremises")
        except (ValueError, AttributeError) as error:
            raise bad("Invalid request body.") from error
        known = self.directory.extensions()
        value = [one for one in known if synced is None or one["isSyncedFromOnPremises"] is synced]
        return {"@odata.context": self.links.context("Collection(extensionProperty)"), "value": value}

    # Collections of users or groups

    def collection(self, request: Request, kind: str) -> Json:
        parameters = request.parameters
        top = odata.top(parameters)
        advanced = request.headers.get("consistencylevel", "").lower() == "eventual"
        where, values = odata.condition(parameters, kind, advanced)
        after = odata.skip(parameters)
        rows = self.directory.page(kind, where, values, after, top + 1)
        answer: Json = {"@odata.context": self.links.context(kind)}
        if parameters.get("$count") == "true" and advanced and not after:
            answer["@odata.count"] = self._count(kind, where, values)
        rows, more = self._cut(kind, where, values, rows[:top], len(rows) > top)
        if more:
            answer["@odata.nextLink"] = self.links.next(kind, parameters, rows[-1]["n"])
        default = USER_DEFAULT if kind == "users" else GROUP_DEFAULT
        shown = [
            selected(json.loads(row["body"]) | {"id": row["id"]}, odata.select(request), default)
            for row in rows
            if not self.switches.leaves_out(kind, row["id"])
        ]
        return answer | {"value": shown}

    def _count(self, kind: str, where: str, values: list[Any]) -> int:
        if not self.switches["shrink_count"]:
            return self.directory.count(kind, where, values)
        rows = self.directory.page(kind, where, values, 0, -1)
        return sum(not self.switches.leaves_out(kind, row["id"]) for row in rows)

    def _cut(self, kind: str, where: str, values: list[Any], rows: list[Any], more: bool) -> tuple[list[Any], bool]:
        """A list that ends too early, when the switch says so."""
        most = self.switches["drop_list_after"]
        if not most or not rows:
            return rows, more
        before = self.directory.count(kind, f"({where}) AND n < {int(rows[0]['n'])}", values)
        return rows[: max(0, most - before)], more and before + len(rows) < most
