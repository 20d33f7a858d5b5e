"""Microsoft's clouds: where to sign in and where Graph is (Graph docs, national cloud deployments)."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cloud:
    """`authority` and `graph` are origins without a path; `ca_file`: authorities to trust in place of the public ones.

    `proxy`: http://user:password@host:port of a forward proxy."""

    name: str
    authority: str
    graph: str
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)


CLOUDS = {
    cloud.name: cloud
    for cloud in (
        Cloud("global", "https://login.microsoftonline.com", "https://graph.microsoft.com"),
        Cloud("usgov", "https://login.microsoftonline.us", "https://graph.microsoft.us"),
        Cloud("usgovdod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
        Cloud("china", "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"),
    )
}
