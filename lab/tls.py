"""The lab's private certificate authority and its server certificate, made once per state directory."""

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import NameOID

YEARS = datetime.timedelta(days=3650)
# Clients whose clock is a little behind still take the certificate.
BACKDATED = datetime.timedelta(days=1)


def server_context(state: Path) -> ssl.SSLContext:
    """Makes `ca.pem` and `server.pem` where they are missing."""
    if not (state / "server.pem").exists():
        _make_authority(state)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(state / "server.pem")
    return context


def _make_authority(state: Path) -> None:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("Lockstep lab CA")
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName("localhost")]
    addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
    leaf = (
        _builder(_name("localhost"), ca_name, key.public_key())
        .add_extension(x509.SubjectAlternativeName([*names, *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write_private(state / "ca.pem", _pem(ca))
    _write_private(state / "server.pem", _pem(key) + _pem(leaf))


def bad_contexts(state: Path) -> dict[str, ssl.SSLContext]:
    """Servers that nobody may trust: an expired certificate, one for another host, one that is its own issuer."""
    if not (state / "self_signed.pem").exists():
        _make_bad(state)
    contexts = {}
    for flaw in ("expired", "wrong_host", "self_signed"):
        contexts[flaw] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[flaw].load_cert_chain(state / f"{flaw}.pem")
    return contexts


def _make_bad(state: Path) -> None:
    """The authority's own key is not kept: a second one signs these, and clients of the lab trust both."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("Lockstep lab CA for flaws")
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    with (state / "ca.pem").open("a") as bundle:
        bundle.write(_pem(ca))
    past = datetime.datetime.now(datetime.UTC) - 2 * BACKDATED
    _write_private(state / "expired.pem", _leaf("localhost", ca_name, ca_key, ends=past))
    _write_private(state / "wrong_host.pem", _leaf("elsewhere.example", ca_name, ca_key))
    _write_private(state / "self_signed.pem", _leaf("localhost", None, None))


def _leaf(
    host: str,
    issuer: x509.Name | None,
    issuer_key: ec.EllipticCurvePrivateKey | None,
    ends: datetime.datetime | None = None,
) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(host), issuer or _name(host), key.public_key(), ends)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    signer = issuer_key or key
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    made = builder.add_extension(identifier, critical=False).sign(signer, hashes.SHA256())
    return _pem(key) + _pem(made)


def client_certificate(state: Path) -> tuple[str, x509.Certificate]:
    """Key and certificate that the app may sign in with: PEM text, and the certificate."""
    path = state / "app-certificate.pem"
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = _name("Lockstep lab app")
        made = _builder(name, name, key.public_key()).sign(key, hashes.SHA256())
        _write_private(path, _pem(key) + _pem(made))
    text = path.read_text()
    return text, x509.load_pem_x509_certificate(text.encode())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    ends: datetime.datetime | None = None,
) -> x509.CertificateBuilder:
    """`ends`: for a certificate that is over already."""
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
    builder = builder.serial_number(x509.random_serial_number())
    begins = (ends or now) - BACKDATED
    builder = builder.not_valid_before(begins).not_valid_after(ends or now + YEARS)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(thing: x509.Certificate | CertificateIssuerPrivateKeyTypes) -> str:
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM).decode()
    return thing.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
