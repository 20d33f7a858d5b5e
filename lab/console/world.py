"""What the lab consists of: the company, AWS, the services that show them, and the servers they listen on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from sqlite3 import Connection

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
    """`servers`: by the name of the part; filled when they listen. `fill`: puts the company into an empty directory.

    `product`: its address, "" where nobody said it, and `tenant`: the short name of the tenant that reads this company.
    `pass_time`: the command that lets days pass in the product; a number of days is added to it.
    `kept`: by name, what the directory and AWS held.
    """

    directory: Directory
    aws: AwsStore
    graph: Graph
    scim: AwsApp
    faults: Faults
    elsewhere: Elsewhere
    issuer: Issuer
    fill: Callable[[], None]
    product: str = ""
    tenant: str = ""
    pass_time: Sequence[str] = ()
    servers: dict[str, Server] = field(default_factory=dict)
    kept: dict[str, tuple[Connection, Connection]] = field(default_factory=dict)

    def keep(self, name: str) -> None:
        self.kept[name] = (self.directory.db.copy(), self.aws.db.copy())

    def return_to(self, name: str) -> None:
        """Raises KeyError where nothing was kept under the name. Faults and Graph's switches stay."""
        directory, aws = self.kept[name]
        self.directory.become(directory)
        self.aws.become(aws)
        self.graph.delta.forget()
        self.graph.subscriptions.read()

    def place(self, path: str) -> str:
        """The address of a page of that tenant; of the product where the tenant is not known."""
        return f"{self.product}t/{self.tenant}/{path}" if self.tenant else self.product
