"""The SCIM endpoint as an admin pastes it: repaired where that is safe, refused in words where it is not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Dialect = Literal["aws", "rfc"]

# https://scim.<region>.<suffix>/<tenant id>/scim/v2. AWS's partitions with the form of their regions and their two DNS
# suffixes, the second one dual stack (partitions.json of the AWS SDKs). Regions are not listed: new ones appear.
PARTITIONS: dict[str, tuple[str, tuple[str, str]]] = {
    "aws": ("[a-z]{2}-[a-z]+-[0-9]+", ("amazonaws.com", "api.aws")),
    "aws-us-gov": ("us-gov-[a-z]+-[0-9]+", ("amazonaws.com", "api.aws")),
    "aws-cn": ("cn-[a-z]+-[0-9]+", ("amazonaws.com.cn", "api.amazonwebservices.com.cn")),
    "aws-eusc": ("eusc-[a-z]+-[a-z]+-[0-9]+", ("amazonaws.eu", "api.amazonwebservices.eu")),
    "aws-iso": ("us-iso-[a-z]+-[0-9]+", ("c2s.ic.gov", "api.aws.ic.gov")),
    "aws-iso-b": ("us-isob-[a-z]+-[0-9]+", ("sc2s.sgov.gov", "api.aws.scloud")),
    "aws-iso-e": ("eu-isoe-[a-z]+-[0-9]+", ("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk")),
    "aws-iso-f": ("us-isof-[a-z]+-[0-9]+", ("csp.hci.ic.gov", "api.aws.hci.ic.gov")),
}
HOSTS = [
    re.compile(rf"scim\.(?P<region>{region})\.({'|'.join(map(re.escape, suffixes))})")
    for region, suffixes in PARTITIONS.values()
]
# The first group has 8 characters in old tenants, 11 in newer ones (ssosync#289).
TENANT = re.compile(r"[A-Za-z0-9]{8,11}(-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}")
RESOURCE = re.compile(r"/(Users|Groups|ServiceProviderConfig|Schemas|ResourceTypes)(/.*)?$", re.IGNORECASE)


class EndpointError(ValueError):
    """`code` names the mistake: not-a-url, scheme, sign-in-address, host, path."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class OtherHost:
    """A server that whoever deploys has allowed besides AWS's."""

    dialect: Dialect
    ca_file: str | None = None
    plain_http: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`base` has no trailing slash. `host` carries the port where the URL names one.

    `ca_file`: authorities to trust in place of the public ones; `proxy`: http://user:password@host:port, for https."""

    base: str
    host: str
    region: str | None
    tenant_id: str | None
    dialect: Dialect
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)


def normalise(url: str, *, allowed: Mapping[str, OtherHost]) -> Endpoint:
    """Raises EndpointError. AWS's own pages disagree on the trailing slash; both forms and `/Users` are taken."""
    try:
        parts = urlsplit("".join(url.split()))
    except ValueError:
        raise EndpointError("not-a-url", "This is not a web address. Copy SCIM endpoint from AWS again.") from None
    other = allowed.get(parts.netloc)
    if parts.scheme != "https" and not (other and other.plain_http and parts.scheme == "http"):
        raise EndpointError("scheme", "The endpoint does not begin with https://. Copy SCIM endpoint from AWS again.")
    path = RESOURCE.sub("", re.sub(r"/{2,}", "/", parts.path)).rstrip("/")
    if other:
        base = f"{parts.scheme}://{parts.netloc}{path}"
        return Endpoint(base, parts.netloc, None, _tenant_id(path), other.dialect, other.ca_file)
    return _aws(parts.netloc.lower().removesuffix(":443"), parts.hostname or "", path)


def _aws(netloc: str, hostname: str, path: str) -> Endpoint:
    found = next(filter(None, (host.fullmatch(hostname) for host in HOSTS)), None)
    if not found:
        raise _wrong_host(hostname)
    if netloc != hostname:
        # requests would send a name and password from the address in place of our token.
        raise EndpointError(
            "host", "The endpoint names a user or a port besides the host. Copy SCIM endpoint from AWS again."
        )
    tenant_id = _tenant_id(path)
    if not tenant_id or path != f"/{tenant_id}/scim/v2":
        raise EndpointError(
            "path",
            "The endpoint's path is not complete. It reads /<id>/scim/v2. Copy SCIM endpoint from AWS again.",
        )
    return Endpoint(f"https://{hostname}{path}", hostname, found["region"], tenant_id, "aws")


# Of the access portal, the console and the sign-in page; `identitycenter.` stands before each partition's own suffix.
SIGN_IN = (
    *(".awsapps.com", ".awsapps.cn", ".app.aws"),
    *("console.aws.amazon.com", "console.amazonaws.cn", "console.amazonaws-us-gov.com"),
    *("signin.aws.amazon.com", "signin.amazonaws.cn", "signin.amazonaws-us-gov.com", ".signin.aws"),
)


def _wrong_host(hostname: str) -> EndpointError:
    if hostname.endswith(SIGN_IN) or hostname.startswith("identitycenter."):
        return EndpointError(
            "sign-in-address",
            "This is the sign-in address. Copy SCIM endpoint from Settings › Identity source › Automatic provisioning.",
        )
    return EndpointError(
        "host",
        f"{hostname or 'The host'} is not an AWS SCIM host. It reads scim.<region>.amazonaws.com. "
        "Copy SCIM endpoint from Settings › Identity source › Automatic provisioning.",
    )


def _tenant_id(path: str) -> str | None:
    first = path.strip("/").partition("/")[0]
    return first if TENANT.fullmatch(first) else None
