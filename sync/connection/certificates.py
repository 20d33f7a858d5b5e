"""Certificates that the app signs in to Entra with: read as pasted, or made here; the private key leaves only sealed."""

import datetime
import re
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# NIST SP 800-57 part 1: 3072 bits for use beyond 2030. Entra takes 2048 and more.
KEY_BITS = 3072
# Application policies of Entra often allow no longer.
DAYS = 365
BACKDATED = datetime.timedelta(minutes=10)


def made(name: str, now: datetime.datetime) -> str:
    """PEM of a new key and its self-signed certificate. `name`: what Entra shows, of the tenant."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Lockstep {name}"[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (private + certificate.public_bytes(serialization.Encoding.PEM)).decode()


def public_part(pem: str) -> bytes:
    """The certificate alone, as Entra takes it in an upload (.cer)."""
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(serialization.Encoding.PEM)


def thumbprint(certificate: x509.Certificate) -> str:
    """As Entra shows it in its list."""
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - the name Entra shows it by


def read_certificate(pem: str) -> x509.Certificate:
    """The certificate of a PEM text that also holds its key. Raises ValidationError with what is wrong."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise ValidationError(
            _("The text holds no certificate. Paste the part from BEGIN CERTIFICATE to END CERTIFICATE too."),
            code="no-certificate",
        ) from error
    try:
        key = serialization.load_pem_private_key(_private_key_of(pem), password=None)
    except (ValueError, TypeError) as error:
        raise ValidationError(
            _("The text holds no private key without a pass phrase. Paste the BEGIN PRIVATE KEY part too."),
            code="no-private-key",
        ) from error
    if _public(key.public_key()) != _public(certificate.public_key()):
        raise ValidationError(
            _("The private key belongs to another certificate. Paste the two that were made together."),
            code="other-key",
        )
    return certificate


def _private_key_of(pem: str) -> bytes:
    found = re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", pem, re.DOTALL)
    return found.group().encode() if found else b""


def _public(key: Any) -> bytes:
    return bytes(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
