"""`python -m lab`: starts the rehearsal lab and prints one JSON line with everything a client needs."""

import argparse
import json
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes

from lab import chance, clock
from lab.aws.app import AwsApp
from lab.aws.store import AwsStore
from lab.clock import SharedClock
from lab.console.app import Console
from lab.console.connection import connection_of
from lab.console.world import World
from lab.elsewhere import Elsewhere
from lab.entra import plain, seed
from lab.entra.directory import Directory
from lab.entra.federation import Issuer
from lab.entra.graph import Graph
from lab.entra.tokens import SignIn
from lab.faults import Faults, with_faults
from lab.http import Handler, Server, serve
from lab.tls import bad_contexts, client_certificate, server_context

PARTS = ("entra", "graph", "aws", "console", "elsewhere")
FLAWS = ("expired", "wrong_host", "self_signed")


def main() -> int:
    options = arguments()
    if options.clock:
        clock.use(SharedClock(options.clock))
        chance.begin(0)
    state = Path(options.state)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    tls = server_context(state)
    _pem, certificate = client_certificate(state)

    world = build_world(state, options)
    sign_in = SignIn(world.directory, certificate, world.issuer)
    handlers: dict[str, Handler] = {
        "entra": with_faults(sign_in, world.faults, "entra"),
        "graph": with_faults(world.graph, world.faults, "graph"),
        "aws": world.scim,
        "console": Console(world),
        "elsewhere": world.elsewhere,
    }
    try:
        servers = {
            part: _listen(state, part, handlers[part], options, None if part == "console" else tls) for part in PARTS
        }
        bad_tls = _listen_badly(state, world.scim, options) if options.aws_bad_tls else {}
    except OSError as error:
        print(f"The lab cannot listen: {error}. Choose other ports, or end what uses them.", file=sys.stderr)
        return 1
    world.servers = servers
    sign_in.authority = f"https://localhost:{servers['entra'].port}"
    sign_in.graph = world.graph.links.origin = f"https://localhost:{servers['graph'].port}"
    world.graph.links.elsewhere = f"https://127.0.0.1:{servers['elsewhere'].port}"
    _remember_ports(state, servers | bad_tls)
    print(json.dumps(_facts(state, world, servers | bad_tls, certificate)), flush=True)
    _wait_for_end()
    for server in (servers | bad_tls).values():
        server.close()
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument("--state", required=True, help="folder that keeps everything between starts")
    parser.add_argument(
        "--people",
        type=int,
        default=500,
        help="size of the company at its first start; with its odd people 51 at least",
    )
    parser.add_argument("--groups", type=int, default=0, help="a plain company with so many equal teams, nobody odd")
    parser.add_argument("--memberships", type=int, default=0, help="of the plain company, spread evenly")
    parser.add_argument(
        "--clock", type=Path, help="file of eight bytes, a double: the time, which whoever waits moves on"
    )
    parser.add_argument("--bind", default="127.0.0.1")
    for part in PARTS:
        parser.add_argument(f"--{part}-port", type=int, default=0, help="0: as remembered, else any free port")
    parser.add_argument("--aws-tps", type=float, default=20.0, help="requests per second that AWS allows; 0: any")
    parser.add_argument("--aws-latency-ms", type=float, default=0.0)
    parser.add_argument("--aws-speed", type=float, default=1.0, help="AWS's quota and answers, so many times as fast")
    parser.add_argument("--aws-bad-tls", action="store_true", help="AWS also behind certificates that nobody may trust")
    parser.add_argument("--graph-latency-ms", type=float, default=0.0)
    parser.add_argument("--product", default="", help="address of the product, for the console's links")
    parser.add_argument("--tenant", default="", help="short name of the tenant there that reads this company")
    parser.add_argument("--pass-time", default="[]", help="JSON list: the command that lets days pass in the product")
    return parser.parse_args()


def build_world(state: Path, options: argparse.Namespace) -> World:
    directory, aws, faults = Directory(state / "entra.sqlite3"), AwsStore(state / "aws.sqlite3"), Faults()
    if options.groups:
        size = (options.people, options.groups, options.memberships)
        plain.seed(directory, *size)
        fill = partial(plain.fill, directory, *size)
    else:
        seed.seed(directory, options.people)
        fill = partial(seed.fill, directory, options.people)
    graph = Graph(directory, options.graph_latency_ms)
    scim = AwsApp(aws, faults, tps=options.aws_tps, latency_ms=options.aws_latency_ms, speed=options.aws_speed)
    beside = {"product": options.product, "tenant": options.tenant, "pass_time": json.loads(options.pass_time)}
    return World(directory, aws, graph, scim, faults, Elsewhere(), Issuer(state), fill, **beside)


def _listen(state: Path, part: str, handler: Handler, options: argparse.Namespace, tls: Any) -> Server:
    asked: int = getattr(options, f"{part}_port")
    return serve(handler, options.bind, asked or _remembered_ports(state).get(part, 0), tls)


def _listen_badly(state: Path, handler: Handler, options: argparse.Namespace) -> dict[str, Server]:
    contexts, ports = bad_contexts(state), _remembered_ports(state)
    return {flaw: serve(handler, options.bind, ports.get(flaw, 0), contexts[flaw]) for flaw in FLAWS}


def _remembered_ports(state: Path) -> dict[str, int]:
    """A restart listens where clients know the lab to be."""
    path = state / "ports.json"
    found: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _remember_ports(state: Path, servers: dict[str, Server]) -> None:
    (state / "ports.json").write_text(json.dumps({part: server.port for part, server in servers.items()}))


def _facts(state: Path, world: World, servers: dict[str, Server], certificate: Any) -> dict[str, Any]:
    directory, aws = world.directory, world.aws
    return {
        **connection_of(world),
        "authority": f"https://localhost:{servers['entra'].port}",
        "graph": f"https://localhost:{servers['graph'].port}",
        "console": f"http://localhost:{servers['console'].port}/",
        "ca_file": str((state / "ca.pem").resolve()),
        "domain": directory.fact("domain"),
        "certificate_file": str((state / "app-certificate.pem").resolve()),
        "certificate_thumbprint": certificate.fingerprint(hashes.SHA256()).hex(),
        "federated_token_file": str(world.issuer.file.resolve()),
        "service_principal_id": directory.fact("service_principal_id"),
        "elsewhere": f"https://127.0.0.1:{servers['elsewhere'].port}/",
        "bad_tls": {
            flaw: f"https://localhost:{servers[flaw].port}/{aws.tenant_id}/scim/v2/"
            for flaw in FLAWS
            if flaw in servers
        },
    }


def _wait_for_end() -> None:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()


if __name__ == "__main__":
    raise SystemExit(main())
