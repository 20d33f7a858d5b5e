"""Microsoft's clouds: where to sign in and where Graph is (Graph docs, national cloud deployments)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cloud:
    """`authority` and `graph` are origins without a path; `ca_file` is a private CA, for a deployment's own cloud."""

    name: str
    authority: str
    graph: str
    ca_file: str | None = None


CLOUDS = {
    cloud.name: cloud
    for cloud in (
        Cloud("global", "https://login.microsoftonline.com", "https://graph.microsoft.com"),
        Cloud("usgov", "https://login.microsoftonline.us", "https://graph.microsoft.us"),
        Cloud("usgovdod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
        Cloud("china", "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"),
    )
}
