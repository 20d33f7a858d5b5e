"""What a client enters to reach the lab: the values that Microsoft's and Amazon's consoles would show."""

from lab.console.world import World


def connection_of(world: World) -> dict[str, str]:
    directory, aws = world.directory, world.aws
    return {
        "directory_id": directory.fact("directory_id"),
        "client_id": directory.fact("client_id"),
        "client_secret": directory.fact("client_secret"),
        "scim_endpoint": f"https://localhost:{world.servers['aws'].port}/{aws.tenant_id}/scim/v2/",
        "scim_token": aws.newest_token(),
    }
