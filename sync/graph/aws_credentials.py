"""AWS credentials of the machine that we run on, as the AWS SDKs find them ("Standardized credential providers").

From the environment, a container's endpoint (ECS, EKS Pod Identity), or the instance (IMDSv2), in that order.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from sync.graph.errors import FederationFailed

SECONDS = 3
ECS, INSTANCE = "http://169.254.170.2", "http://169.254.169.254"
# SDK reference, container credential provider: other hosts only by HTTPS.
CONTAINER_HOSTS = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    key_id: str
    secret: str = field(repr=False)
    session: str = field(default="", repr=False)


def credentials(environment: Mapping[str, str] = os.environ) -> AwsCredentials:
    """Raises FederationFailed."""
    if environment.get("AWS_ACCESS_KEY_ID"):
        return AwsCredentials(
            environment["AWS_ACCESS_KEY_ID"],
            environment.get("AWS_SECRET_ACCESS_KEY", ""),
            environment.get("AWS_SESSION_TOKEN", ""),
        )
    try:
        with requests.Session() as session:
            # Addresses of this machine: no proxy leads there.
            session.trust_env = False
            return _of_container(session, environment) or _of_instance(session)
    except (OSError, ValueError, KeyError) as error:
        raise FederationFailed(
            f"No AWS credentials were found on this machine: {type(error).__name__}", code="aws-credentials"
        ) from None


def _of_container(session: requests.Session, environment: Mapping[str, str]) -> AwsCredentials | None:
    relative = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    url = f"{ECS}{relative}" if relative else environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in CONTAINER_HOSTS:
        raise ValueError("AWS_CONTAINER_CREDENTIALS_FULL_URI leads to another host without TLS.")
    return _read(session, url, _authorization(environment))


def _authorization(environment: Mapping[str, str]) -> dict[str, str]:
    named = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    token = Path(named).read_text().strip() if named else environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    return {"Authorization": token} if token else {}


def _of_instance(session: requests.Session) -> AwsCredentials:
    """EC2 user guide, "Use the Instance Metadata Service": version 2 only."""
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    token = session.put(f"{INSTANCE}/latest/api/token", headers=lifetime, timeout=SECONDS, allow_redirects=False)
    headers = {"X-aws-ec2-metadata-token": _text(token)}
    url = f"{INSTANCE}/latest/meta-data/iam/security-credentials/"
    role = _text(session.get(url, headers=headers, timeout=SECONDS, allow_redirects=False))
    return _read(session, url + role.partition("\n")[0].strip(), headers)


def _read(session: requests.Session, url: str, headers: dict[str, str]) -> AwsCredentials:
    answer = session.get(url, headers=headers, timeout=SECONDS, allow_redirects=False)
    found: dict[str, Any] = json.loads(_text(answer))
    return AwsCredentials(found["AccessKeyId"], found["SecretAccessKey"], found.get("Token", ""))


def _text(answer: requests.Response) -> str:
    """A redirect is no answer: these addresses have none."""
    if answer.status_code != 200:
        raise ValueError(f"HTTP {answer.status_code}")
    return answer.text
