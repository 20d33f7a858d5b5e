"""How many SCIM requests a second the lab's AWS answers at ten connections. Prints JSON.

`python bench/lab_aws.py [--requests 2000]`: the lab as its own process, no quota, no added latency; each thread creates users.
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

from tests.lab_process import Lab

CONNECTIONS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    count = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder), "--aws-tps", "0") as lab, session(lab) as client:
        created = rate(client, "POST", lab.facts["scim_endpoint"] + "Users", count)
        read = rate(client, "GET", lab.facts["scim_endpoint"] + "ServiceProviderConfig", count)
        in_flight = lab.call("GET", "aws/counts")["max_in_flight"]
    print(
        json.dumps(
            {
                "connections": CONNECTIONS,
                "create_per_second": created,
                "read_per_second": read,
                "max_in_flight": in_flight,
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
