"""Another issuer of tokens, as a Kubernetes cluster is one: it writes the file that a workload reads.

Its keys are known to the lab's Entra at once; the real one reads them from the issuer's discovery document.
"""

import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER = "https://oidc.cluster.example/lockstep"
SUBJECT = "system:serviceaccount:lockstep:lockstep"
AUDIENCE = "api://AzureADTokenExchange"
# A kubelet renews every hour; the lab only at its start.
LIFETIME = 30 * 24 * 3600.0


class Issuer:
    def __init__(self, state: Path) -> None:
        self.file = state / "federated-token"
        self.key = _key(state / "issuer.pem")
        self.write()

    def write(
        self, issuer: str = ISSUER, subject: str = SUBJECT, audience: str = AUDIENCE, lifetime: float = LIFETIME
    ) -> dict[str, str]:
        """A new token in the file's place, whole or not at all."""
        now = time.time()
        claims = {"iss": issuer, "sub": subject, "aud": [audience], "iat": int(now), "exp": int(now + lifetime)}
        draft = self.file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "cluster"}))
        draft.replace(self.file)
        return {"issuer": issuer, "subject": subject, "audience": audience}


def _key(path: Path) -> rsa.RSAPrivateKey:
    if path.exists():
        found = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(found, rsa.RSAPrivateKey)
        return found
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return key
