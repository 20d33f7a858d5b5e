"""How many SCIM requests a second the lab's AWS answers at ten connections. Prints JSON.

`python bench/lab_aws.py [--requests 2000] [--latency-ms 0]`: the lab as its own process, no quota; each thread creates users.
"""

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.world.lab import Lab

CONNECTIONS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--latency-ms", default="0")
    options = parser.parse_args()
    count, flags = options.requests, ("--aws-tps", "0", "--aws-latency-ms", options.latency_ms)
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder), *flags) as lab, session(lab) as client:
        created = rate(client, "POST", lab.facts["scim_endpoint"] + "Users", count)
        read = rate(client, "GET", lab.facts["scim_endpoint"] + "ServiceProviderConfig", count)
        cpu = 1000 * lab.call("GET", "timings")["aws_cpu_seconds"] / (2 * count)
        in_flight = lab.call("GET", "aws/counts")["max_in_flight"]
    print(
        json.dumps(
            {
                "connections": CONNECTIONS,
                "create_per_second": created,
                "read_per_second": read,
                "max_in_flight": in_flight,
                "cpu_ms_per_request": round(cpu, 2),
            }
        )
    )


def session(lab: Lab) -> requests.Session:
    client = requests.Session()
    client.trust_env = False
    client.verify = lab.facts["ca_file"]
    client.headers["Authorization"] = f"Bearer {lab.facts['scim_token']}"
    client.mount("https://", HTTPAdapter(pool_maxsize=CONNECTIONS, pool_block=True))
    return client


def rate(client: requests.Session, method: str, url: str, count: int) -> int:
    def one(number: int) -> None:
        body = {"userName": f"u{number}@x.y", "displayName": "U", "name": {"givenName": "a", "familyName": "b"}}
        client.request(method, url, json=body if method == "POST" else None, timeout=30).raise_for_status()

    began = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(one, range(count)))
    return round(count / (time.monotonic() - began))


if __name__ == "__main__":
    main()
