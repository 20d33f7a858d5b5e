"""What the console's buttons do: to the company, and to the services."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.aws import validation

if TYPE_CHECKING:
    from lab.console.app import Console

Form = dict[str, str]
CONTROL_TOWER = ("AWSControlTowerAdmins", "AWSLogArchiveAdmins", "AWSSecurityAuditors")


def found(done: bool, object_id: str) -> None:
    if not done:
        raise KeyError(object_id)


def hire(console: "Console", form: Form) -> str:
    user = console.directory.hire(
        {"displayName": form["name"].strip() or "New Colleague"}, [form["group"]] if form.get("group") else []
    )
    return f"{user['displayName']} was hired."


def leave(console: "Console", form: Form) -> str:
    console.directory.leave(form["id"])
    return "Deleted in Entra, and in its recycle bin."


def restore(console: "Console", form: Form) -> str:
    console.directory.restore(form["id"])
    return "Restored from the recycle bin."


def block(console: "Console", form: Form) -> str:
    user = _user(console, form["id"])
    console.directory.change_user(form["id"], {"accountEnabled": not user.get("accountEnabled", True)})
    return "Sign-in was blocked." if user.get("accountEnabled", True) else "Sign-in is allowed again."


def rename(console: "Console", form: Form) -> str:
    given, _, family = form["name"].strip().partition(" ")
    changes = {"displayName": form["name"].strip(), "givenName": given, "surname": family or None}
    console.directory.change_user(form["id"], changes)
    return f"Renamed to {form['name'].strip()}."


def second_phone(console: "Console", form: Form) -> str:
    console.directory.change_user(form["id"], {"mobilePhone": "+49 170 0000000"})
    return "A mobile number stands beside the business phone now."


def no_last_name(console: "Console", form: Form) -> str:
    console.directory.change_user(form["id"], {"surname": None})
    return "The last name is empty now."


def move(console: "Console", form: Form) -> str:
    directory = console.directory
    for row in directory.db.all("SELECT group_id FROM members WHERE member_id = ?", (form["id"],)):
        directory.change_members(row["group_id"], remove=[form["id"]])
    directory.change_members(form["group"], add=[form["id"]])
    return "Moved to the other group, and out of all before."


def delete_group(console: "Console", form: Form) -> str:
    console.directory.delete_group(form["id"])
    return "The group was deleted in Entra."


def rename_group(console: "Console", form: Form) -> str:
    console.directory.change_group(form["id"], {"displayName": form["name"].strip()})
    return f"The group is called {form['name'].strip()} now."


def nest_group(console: "Console", form: Form) -> str:
    console.directory.change_members(form["group"], add=[form["id"]])
    return "The group is a member of the other group now."


def throttle(console: "Console", _form: Form) -> str:
    console.faults.add({"part": "aws", "kind": "status", "status": 429, "retry_after": "1", "times": 20})
    return "AWS answers 429 to the next 20 requests."


def fail(console: "Console", form: Form) -> str:
    console.faults.add({"part": form["part"], "kind": "status", "status": 500, "times": -1})
    return f"{form['part']} answers 500 to everything until you release it."


def release(console: "Console", _form: Form) -> str:
    console.faults.delete()
    return "Everything answers again."


def expire_token(console: "Console", _form: Form) -> str:
    console.aws.expire_tokens()
    return "The AWS access tokens have ended."


def new_token(console: "Console", _form: Form) -> str:
    console.aws.delete_tokens()
    return f"New AWS access token, shown once: {console.aws.new_token()}"


def wipe_user(console: "Console", form: Form) -> str:
    found(console.aws.delete_user(form["id"]), form["id"])
    return "Deleted in AWS by hand."


def wipe(console: "Console", _form: Form) -> str:
    console.aws.wipe()
    return "AWS holds nothing now."


def control_tower(console: "Console", _form: Form) -> str:
    add_control_tower(console)
    return "AWS holds Control Tower's groups and a user made by hand."


def add_control_tower(console: "Console") -> None:
    """What AWS Control Tower makes by itself: groups, and a user without an e-mail address or an external id."""
    held = {group["displayName"] for group in console.aws.state()["groups"]}
    for name in CONTROL_TOWER:
        if name not in held:
            console.aws.create_group(validation.group({"displayName": name}, console.aws.switches))
    full_name = {"givenName": "AWS", "familyName": "Control Tower Admin"}
    facts = {"userName": "AWSControlTower", "displayName": "AWS Control Tower Admin", "name": full_name}
    if not console.aws.users("user_name = ?", ("awscontroltower",)):
        console.aws.create_user(validation.user(facts, console.aws.switches))


def switch(console: "Console", form: Form) -> str:
    console.aws.set_switches({form["name"]: form["value"]})
    return f"{form['name']} is {form['value']} now."


def _user(console: "Console", user_id: str) -> dict[str, Any]:
    user = console.directory.user(user_id)
    if user is None:
        raise KeyError(user_id)
    return user


DEEDS: dict[str, Callable[["Console", Form], str]] = {
    deed.__name__: deed
    for deed in (
        hire, leave, restore, block, rename, second_phone, no_last_name, move, delete_group, rename_group, nest_group,
        throttle, fail, release, expire_token, new_token, wipe_user, wipe, control_tower, switch,
    )
}  # fmt: skip


def do(console: "Console", name: str, form: Form) -> str:
    """What was done, in a sentence. Raises KeyError or ValueError."""
    if name not in DEEDS:
        raise KeyError(name)
    return DEEDS[name](console, form)
