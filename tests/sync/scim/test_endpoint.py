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
    ("suffix", "region"),
    [
        ("amazonaws.com", "us-east-1"),
        ("amazonaws.com", "mx-central-1"),
        ("amazonaws.com", "us-gov-west-1"),
        ("api.aws", "us-gov-east-1"),
        ("api.aws", "ap-southeast-12"),
        ("amazonaws.com.cn", "cn-northwest-1"),
        ("api.amazonwebservices.com.cn", "cn-north-1"),
        ("amazonaws.eu", "eusc-de-east-1"),
        ("api.amazonwebservices.eu", "eusc-de-east-1"),
        ("c2s.ic.gov", "us-iso-east-1"),
        ("api.aws.ic.gov", "us-iso-west-1"),
        ("sc2s.sgov.gov", "us-isob-east-1"),
        ("api.aws.scloud", "us-isob-east-1"),
        ("cloud.adc-e.uk", "eu-isoe-west-1"),
        ("api.cloud-aws.adc-e.uk", "eu-isoe-west-1"),
        ("csp.hci.ic.gov", "us-isof-south-1"),
        ("api.aws.hci.ic.gov", "us-isof-south-1"),
    ],
)
def test_every_partition_of_aws_is_taken_with_both_of_its_suffixes(suffix: str, region: str) -> None:
    endpoint = normalise(f"https://scim.{region}.{suffix}/f3vd2aa29dc-223c-4e5c-8a11-0d5c3b7e9f21/scim/v2/", allowed={})
    assert (endpoint.host, endpoint.region) == (f"scim.{region}.{suffix}", region)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (BASE.replace("https", "http"), "scheme"),
        ("https://d-9067729b3d.awsapps.com/start", "sign-in-address"),
        ("https://eu-central-1.console.aws.amazon.com/singlesignon", "sign-in-address"),
        ("https://start.home.awsapps.cn/directory/d-9067729b3d", "sign-in-address"),
        ("https://console.amazonaws-us-gov.com/singlesignon", "sign-in-address"),
        ("https://identitycenter.amazonaws.eu/ssoins-1234567890abcdef", "sign-in-address"),
        ("https://ssoins-1234567890abcdef.portal.eu-central-1.app.aws", "sign-in-address"),
        (f"https://scim.eusc-de-east-1.amazonaws.eu.evil.example/{ID}/scim/v2", "host"),
        (f"https://scim.eusc-de-east-1.amazonaws.com.eu/{ID}/scim/v2", "host"),
        (f"https://scim.eusc-de-east-1-amazonaws.eu/{ID}/scim/v2", "host"),
        (f"https://scim.eu-central-1.amazonaws.eu/{ID}/scim/v2", "host"),
        (f"https://scim.us-iso-east-1.amazonaws.com/{ID}/scim/v2", "host"),
        (f"https://sts.eusc-de-east-1.amazonaws.eu/{ID}/scim/v2", "host"),
        (f"https://scim.eu-central-\uff11.amazonaws.com/{ID}/scim/v2", "host"),
        (f"https://scim.eu-central-\u0661.amazonaws.com/{ID}/scim/v2", "host"),
        (BASE.replace("11111111-", "\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661-"), "path"),
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


HOST = "scim.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    "netloc",
    [
        f"{HOST}.",
        f"evil.example\\@{HOST}",
        f"evil.example#@{HOST}",
        f"{HOST}@evil.example",
        f"{HOST}.evil.example",
        "2130706433",
        "0x7f.1",
        "127.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:169.254.169.254]",
        "xn--scim-eu-central-1.amazonaws.com",
        "sc\u0456m.eu-central-1.amazonaws.com",
        "localhost",
    ],
)
def test_no_spelling_of_another_host_is_taken(netloc: str) -> None:
    with pytest.raises(EndpointError):
        normalise(f"https://{netloc}/{ID}/scim/v2", allowed={})
