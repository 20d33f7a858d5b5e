"""What the lab consists of: the company, AWS, the services that show them, and the servers they listen on."""

from dataclasses import dataclass, field

from lab.aws.app import AwsApp
from lab.aws.store import AwsStore
from lab.elsewhere import Elsewhere
from lab.entra.directory import Directory
from lab.entra.federation import Issuer
from lab.entra.graph import Graph
from lab.faults import Faults
from lab.http import Server


@dataclass(slots=True)
class World:
    """`servers`: by the name of the part; filled when they listen."""

    directory: Directory
    aws: AwsStore
    graph: Graph
    scim: AwsApp
    faults: Faults
    elsewhere: Elsewhere
    issuer: Issuer
    servers: dict[str, Server] = field(default_factory=dict)
