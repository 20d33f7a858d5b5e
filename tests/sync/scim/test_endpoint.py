import pytest

from sync.scim.endpoint import EndpointError, OtherHost, normalise

ID = "11111111-2222-3333-4444-555555555555"
BASE = f"https://scim.eu-central-1.amazonaws.com/{ID}/scim/v2"


@pytest.mark.parametrize(
    "url",
    [
        BASE,
        f"{BASE}/",
        f"{BASE}//",
        f"{BASE}/Users",
        f"{BASE}/Groups/x",
        f" {BASE}/\n",
        BASE.replace("/scim/v2", "//scim/v2"),
        f"{BASE}/?aadOptscim062020",
        BASE.replace(".com/", ".com:443/").replace("scim.eu", "SCIM.eu"),
    ],
)
def test_slashes_blanks_and_a_pasted_resource_are_repaired(url: str) -> None:
    assert normalise(url, allowed={}).base == BASE


def test_region_and_id_are_read_out() -> None:
    endpoint = normalise(BASE, allowed={})
    assert (endpoint.region, endpoint.tenant_id, endpoint.dialect) == ("eu-central-1", ID, "aws")


@pytest.mark.parametrize(
    "host", ["scim.us-east-1.api.aws", "scim.us-gov-west-1.amazonaws.com", "scim.cn-north-1.amazonaws.com.cn"]
)
def test_dual_stack_and_other_partitions_are_aws_too(host: str) -> None:
    assert normalise(f"https://{host}/f3vd2aa29dc-223c-4e5c-8a3b-0123456789ab/scim/v2/", allowed={}).host == host


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (BASE.replace("https", "http"), "scheme"),
        ("https://d-9067729b3d.awsapps.com/start", "sign-in-address"),
        ("https://eu-central-1.console.aws.amazon.com/singlesignon", "sign-in-address"),
        ("https://scim.evil.example/x/scim/v2", "host"),
        ("https://169.254.169.254/latest", "host"),
        (f"https://scim.eu-central-1.amazonaws.com.evil.example/{ID}/scim/v2", "host"),
        (f"https://scim.eu-central-1.amazonaws.com/{ID}", "path"),
        ("https://scim.eu-central-1.amazonaws.com/scim/v2", "path"),
        ("", "scheme"),
        ("https://[scim.eu-central-1.amazonaws.com", "not-a-url"),
        (BASE.replace("https://", "https://name:password@"), "host"),
        (BASE.replace(".com/", ".com:8443/"), "host"),
        (BASE.replace(".com/", ".com:99999/"), "host"),
    ],
)
def test_anything_else_is_refused_by_its_mistake(url: str, code: str) -> None:
    with pytest.raises(EndpointError) as caught:
        normalise(url, allowed={})
    assert caught.value.code == code


def test_other_hosts_only_as_deployed() -> None:
    allowed = {"localhost:8831": OtherHost("rfc", plain_http=True), "lab.example:1": OtherHost("aws", "/ca.pem")}
    assert normalise("http://localhost:8831/", allowed=allowed).dialect == "rfc"
    assert normalise("https://lab.example:1/x/scim/v2/", allowed=allowed).ca_file == "/ca.pem"
    with pytest.raises(EndpointError):
        normalise("http://lab.example:1/x/scim/v2/", allowed=allowed)
    with pytest.raises(EndpointError):
        normalise("http://localhost:8832/", allowed=allowed)
