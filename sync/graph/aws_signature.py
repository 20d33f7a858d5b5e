"""AWS Signature Version 4 for one POST of a form (IAM user guide, "Create a signed AWS API request")."""

import datetime
import hashlib
import hmac
from urllib.parse import urlencode, urlsplit

from sync.graph.aws_credentials import AwsCredentials

ALGORITHM = "AWS4-HMAC-SHA256"
CONTENT_TYPE = "application/x-www-form-urlencoded"


def signed(
    url: str,
    form: dict[str, str],
    credentials: AwsCredentials,
    region: str,
    now: datetime.datetime,
    *,
    service: str = "sts",
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a request."""
    body = urlencode(form).encode()
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"content-type": CONTENT_TYPE, "host": urlsplit(url).netloc, "x-amz-date": stamp}
    if credentials.session:
        headers["x-amz-security-token"] = credentials.session
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = "\n".join(["POST", urlsplit(url).path or "/", "", lines, names, _digest(body)])
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = "\n".join([ALGORITHM, stamp, scope, _digest(request.encode())])
    signature = hmac.new(_key(credentials.secret, scope), text.encode(), hashlib.sha256).hexdigest()
    del headers["host"]
    proof = f"{ALGORITHM} Credential={credentials.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return headers | {"authorization": proof}, body


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
