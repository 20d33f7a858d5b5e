"""A world without a history: nobody in Entra or AWS, everything behaves. Its ids and secrets follow from a seed."""

import itertools
from typing import Any

from lab import chance, clock
from lab.aws.app import Quota
from lab.console.world import World


def begin(world: World, seed: int) -> dict[str, Any]:
    """The secrets that hold from now on, under the names of the line that the lab prints."""
    chance.begin(seed)
    clock.forget_due()
    world.faults.delete()
    world.faults.ids = itertools.count(1)
    world.graph.forget()
    world.directory.empty()
    world.aws.empty()
    world.scim.quota = Quota(world.scim.quota.per_second, world.scim.speed)
    return {"client_secret": world.directory.new_secret(), "scim_token": world.aws.new_token()}
