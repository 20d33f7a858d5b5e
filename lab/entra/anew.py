"""Somebody who left and came again, or a group deleted and made again: the old names, another object id."""

from typing import Any

from lab.entra.directory import Directory

Json = dict[str, Any]


def make_user_anew(directory: Directory, user_id: str) -> Json:
    """The old account lies in the recycle bin; the new one is in the same groups. Raises KeyError."""
    with directory.db.transaction():
        old = directory.user(user_id)
        if old is None:
            raise KeyError(user_id)
        rows = directory.db.all("SELECT group_id FROM members WHERE member_id = ?", (user_id,))
        directory.leave(user_id)
        facts = {name: value for name, value in old.items() if name not in ("id", "_manager")}
        return directory.hire(facts | {"manager": old["_manager"]}, [row["group_id"] for row in rows])


def make_group_anew(directory: Directory, group_id: str) -> Json:
    """With the members of the old one, which is gone for good; in no other group, and not assigned. Raises KeyError."""
    with directory.db.transaction():
        old = directory.group(group_id)
        if old is None:
            raise KeyError(group_id)
        members = [member for member, _kind in directory.members(group_id)]
        directory.delete_group(group_id, soft=False)
        return directory.create_group({name: value for name, value in old.items() if name != "id"}, members)
