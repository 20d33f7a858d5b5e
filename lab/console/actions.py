"""What the console's buttons do: to the company, and to the services."""

import itertools
import json
import subprocess
from collections.abc import Callable
from typing import Any

from lab.aws import by_hand, validation
from lab.console import fault_switches
from lab.console.world import World
from lab.entra import switches as graph_switches
from lab.entra.seed import DEPARTMENTS, FAMILY, GIVEN

Form = dict[str, str]
MANY = 200
CONTROL_TOWER = ("AWSControlTowerAdmins", "AWSLogArchiveAdmins", "AWSSecurityAuditors")


def require_found(done: bool, object_id: str) -> None:
    if not done:
        raise KeyError(object_id)


def hire(world: World, form: Form) -> str:
    user = world.directory.hire(
        {"displayName": form["name"].strip() or "New Colleague"}, [form["group"]] if form.get("group") else []
    )
    return f"{user['displayName']} was hired."


def hire_many(world: World, form: Form) -> str:
    """Two hundred, none called as another."""
    names = itertools.islice(itertools.product(FAMILY, GIVEN), MANY)
    with world.directory.db.transaction():
        for n, (family, given) in enumerate(names):
            facts = {"displayName": f"{given} {family}", "department": DEPARTMENTS[n % len(DEPARTMENTS)]}
            world.directory.hire(facts, [form["group"]])
    return f"{MANY} people were hired into the group."


def reorganise(world: World, form: Form) -> str:
    """The first of a team leads it from now on, under a new department; every other one leaves the group."""
    directory = world.directory
    people = [key for key, kind in directory.members(form["group"]) if kind == "user"]
    if len(people) < 2:
        raise ValueError("A team needs two people at least.")
    with directory.db.transaction():
        for key in people[1:]:
            directory.change_user(key, {"department": "Platform", "manager": people[0]})
        directory.change_members(form["group"], remove=people[1::2])
    return f"{len(people) - 1} people have a new department and manager, and {len(people[1::2])} left the group."


def back_to_start(world: World, _form: Form) -> str:
    """What the product remembers stays; what signs in to the lab goes on working."""
    world.faults.delete()
    world.graph.forget()
    world.directory.refill(world.fill)
    world.graph.delta.expire_tokens()
    world.aws.wipe()
    world.aws.reset_switches()
    return (
        "The company is as at its first start, AWS is empty, and everything answers. Lockstep sees it with a full sync."
    )


def pass_time(world: World, form: Form) -> str:
    """First in the product, which may refuse; then here."""
    days = int(form["days"])
    if not world.pass_time:
        raise ValueError("Days pass in the demo alone, where Lockstep takes part.")
    done = subprocess.run([*world.pass_time, str(days)], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise ValueError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "Lockstep did not say why.")
    world.directory.age(days)
    world.aws.age(days)
    return f"{'A day' if days == 1 else f'{days} days'} passed, here and in Lockstep."


def leave(world: World, form: Form) -> str:
    world.directory.leave(form["id"])
    return "Deleted in Entra, and in its recycle bin."


def restore(world: World, form: Form) -> str:
    world.directory.restore(form["id"])
    return "Restored from the recycle bin."


def block(world: World, form: Form) -> str:
    user = _user(world, form["id"])
    world.directory.change_user(form["id"], {"accountEnabled": not user.get("accountEnabled", True)})
    return "Sign-in was blocked." if user.get("accountEnabled", True) else "Sign-in is allowed again."


def remake(world: World, form: Form) -> str:
    made = world.directory.remake(form["id"])
    return f"{made['displayName']} was deleted for good and made anew, with another object id."


def rename(world: World, form: Form) -> str:
    given, _, family = form["name"].strip().partition(" ")
    changes = {"displayName": form["name"].strip(), "givenName": given, "surname": family or None}
    world.directory.change_user(form["id"], changes)
    return f"Renamed to {form['name'].strip()}."


def second_phone(world: World, form: Form) -> str:
    world.directory.change_user(form["id"], {"mobilePhone": "+49 170 0000000"})
    return "There is a mobile number beside the business phone now."


def no_last_name(world: World, form: Form) -> str:
    world.directory.change_user(form["id"], {"surname": None})
    return "The last name is empty now."


def move(world: World, form: Form) -> str:
    directory = world.directory
    for row in directory.db.all("SELECT group_id FROM members WHERE member_id = ?", (form["id"],)):
        directory.change_members(row["group_id"], remove=[form["id"]])
    directory.change_members(form["group"], add=[form["id"]])
    return "Moved to the other group, and out of all before."


def delete_group(world: World, form: Form) -> str:
    world.directory.delete_group(form["id"])
    return "The group was deleted in Entra."


def remake_group(world: World, form: Form) -> str:
    made = world.directory.remake_group(form["id"])
    return f"{made['displayName']} was deleted and made anew, with another object id."


def rename_group(world: World, form: Form) -> str:
    world.directory.change_group(form["id"], {"displayName": form["name"].strip()})
    return f"The group is called {form['name'].strip()} now."


def nest_group(world: World, form: Form) -> str:
    world.directory.change_members(form["group"], add=[form["id"]])
    return "The group is a member of the other group now."


def throttle(world: World, _form: Form) -> str:
    world.faults.add({"part": "aws", "kind": "status", "status": 429, "retry_after": "1", "times": 20})
    return "AWS answers 429 to the next 20 requests."


def fail(world: World, form: Form) -> str:
    world.faults.add({"part": form["part"], "kind": "status", "status": 500, "times": -1})
    return f"{form['part']} answers 500 to everything until you release it."


def switch_fault(world: World, form: Form) -> str:
    on = fault_switches.toggle(world, form["name"])
    return f"{fault_switches.BY_NAME[form['name']].label}: {'on' if on else 'off'}."


def release_all(world: World, _form: Form) -> str:
    world.faults.delete()
    return "Everything answers again."


def expire_token(world: World, _form: Form) -> str:
    world.aws.expire_tokens()
    return "The AWS access tokens have ended."


def new_token(world: World, _form: Form) -> str:
    world.aws.delete_tokens()
    return f"New AWS access token, shown once: {world.aws.new_token()}"


def rename_aws_user(world: World, form: Form) -> str:
    by_hand.change_user(world.aws, form["id"], {"displayName": form["name"].strip()})
    return f"The user in AWS is called {form['name'].strip()} now."


def disable_aws_user(world: World, form: Form) -> str:
    user = world.aws.user(form["id"])
    require_found(user is not None, form["id"])
    active = bool(user and user.get("active"))
    by_hand.change_user(world.aws, form["id"], {"active": not active})
    return "Disabled in AWS by hand." if active else "Enabled in AWS by hand."


def set_aws_user_external_id(world: World, form: Form) -> str:
    by_hand.change_user(world.aws, form["id"], {"externalId": form.get("name", "").strip() or None})
    return "The external id was changed in AWS by hand."


def add_aws_member(world: World, form: Form) -> str:
    by_hand.change_members(world.aws, form["group"], {"add": [form["id"]]})
    return "Put into the group in AWS by hand."


def remove_aws_member(world: World, form: Form) -> str:
    by_hand.change_members(world.aws, form["group"], {"remove": [form["id"]]})
    return "Taken out of the group in AWS by hand."


def delete_aws_user(world: World, form: Form) -> str:
    require_found(world.aws.delete_user(form["id"]), form["id"])
    return "Deleted in AWS by hand."


def create_aws_group(world: World, form: Form) -> str:
    by_hand.create_group(world.aws, {"displayName": form["name"].strip()})
    return f"AWS holds a group called {form['name'].strip()}, made by hand."


def rename_aws_group(world: World, form: Form) -> str:
    by_hand.change_group(world.aws, form["id"], {"displayName": form["name"].strip()})
    return f"The group in AWS is called {form['name'].strip()} now."


def set_aws_group_external_id(world: World, form: Form) -> str:
    by_hand.change_group(world.aws, form["id"], {"externalId": form.get("name", "").strip() or None})
    return "The external id of the group was changed in AWS by hand."


def remake_aws_group(world: World, form: Form) -> str:
    group = by_hand.remake_group(world.aws, form["id"])
    return f"{group['displayName']} was deleted in AWS and made anew, with another id."


def delete_aws_group(world: World, form: Form) -> str:
    require_found(world.aws.delete_group(form["id"]), form["id"])
    return "The group was deleted in AWS by hand."


def wipe(world: World, _form: Form) -> str:
    world.aws.wipe()
    return "AWS holds nothing now."


def control_tower(world: World, _form: Form) -> str:
    add_control_tower(world)
    return "AWS holds Control Tower's groups and a user made by hand."


def add_control_tower(world: World) -> None:
    """What AWS Control Tower makes by itself: groups, and a user without an e-mail address or an external id."""
    held = {group["displayName"] for group in world.aws.state()["groups"]}
    for name in CONTROL_TOWER:
        if name not in held:
            world.aws.create_group(validation.validated_group({"displayName": name}, world.aws.switches))
    full_name = {"givenName": "AWS", "familyName": "Control Tower Admin"}
    facts = {"userName": "AWSControlTower", "displayName": "AWS Control Tower Admin", "name": full_name}
    if not world.aws.users("user_name = ?", ("awscontroltower",)):
        world.aws.create_user(validation.validated_user(facts, world.aws.switches))


def set_switch(world: World, form: Form) -> str:
    world.aws.set_switches({form["name"]: form["value"]})
    return f"{form['name']} is {form['value']} now."


def set_graph_switch(world: World, form: Form) -> str:
    """A text as it is, anything else as JSON writes it."""
    name, text = form["name"], form.get("value", "")
    default, _meaning = graph_switches.SWITCHES[name]
    world.graph.switches.set({name: text if isinstance(default, str) else json.loads(text)})
    return f"Graph's {name} is {text or 'as usual'} now."


def _user(world: World, user_id: str) -> dict[str, Any]:
    user = world.directory.user(user_id)
    if user is None:
        raise KeyError(user_id)
    return user


ACTIONS: dict[str, Callable[[World, Form], str]] = {
    action.__name__: action
    for action in (
        hire, hire_many, reorganise, back_to_start, pass_time,
        leave, restore, block, remake, rename, second_phone, no_last_name, move,
        delete_group, remake_group, rename_group, nest_group,
        rename_aws_user, disable_aws_user, set_aws_user_external_id, add_aws_member, remove_aws_member, delete_aws_user,
        create_aws_group, rename_aws_group, set_aws_group_external_id, remake_aws_group, delete_aws_group,
        switch_fault, throttle, fail, release_all, expire_token, new_token, wipe, control_tower, set_switch, set_graph_switch,
    )
}  # fmt: skip


def do(world: World, name: str, form: Form) -> str:
    """What was done, in a sentence. Raises KeyError or ValueError."""
    if name not in ACTIONS:
        raise KeyError(name)
    return ACTIONS[name](world, form)
