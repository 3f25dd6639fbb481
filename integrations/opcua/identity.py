"""The hub's own identity towards OPC UA servers: a key and its certificate.

    python -m integrations.opcua.identity > hub.pem

Store the text as a secret, name it as the server's ``identity``, and have the
server trust the certificate in it.
"""

import hashlib
import socket
import sys
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.api import ConfigError
from core.api.clock import NS, RealClock

DAYS = 3650


class Identity:
    """Hold a certificate, its key and the application that it names."""

    def __init__(self, pem: str) -> None:
        """Read PEM text; raises ConfigError."""
        data = pem.encode()
        try:
            certificate = x509.load_pem_x509_certificate(data)
            key = serialization.load_pem_private_key(data, None)
            self.application_uri = _uri(certificate)
        except (ValueError, TypeError, x509.ExtensionNotFound) as bad:
            raise ConfigError(
                "opcua identity: expected PEM text with a private key and its"
                " certificate; make one by 'python -m integrations.opcua.identity'"
            ) from bad
        self.certificate = certificate.public_bytes(serialization.Encoding.DER)
        self.key = key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def _uri(certificate: x509.Certificate) -> str:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    found = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    if not found:
        raise ValueError("no application URI")
    return found[0]


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-256 of a certificate (DER) as the options hold it."""
    return hashlib.sha256(first_of(certificate)).hexdigest()


def first_of(chain: bytes) -> bytes:
    """Return the first certificate of a chain: its outermost DER sequence."""
    if len(chain) < 4 or chain[0] != 0x30 or chain[1] != 0x82:
        return chain
    return chain[: 4 + int.from_bytes(chain[2:4], "big")]


def make(
    application_uri: str,
    name: str = "Safehold",
    *,
    key: rsa.RSAPrivateKey | None = None,
    begins: datetime | None = None,
    serial: int = 0,
) -> str:
    """Return a key, a new one unless given, and its certificate as PEM text."""
    if key is None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = begins or datetime.fromtimestamp(RealClock().wall_ns() // NS, UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS))
    )
    for extension, critical in _extensions(application_uri):
        builder = builder.add_extension(extension, critical)
    known = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(known, critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    return text.decode()


def _extensions(application_uri: str) -> list[tuple[x509.ExtensionType, bool]]:
    """Return what OPC 10000-6 6.2.2 asks of an application's certificate."""
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    names: list[x509.GeneralName] = [
        x509.UniformResourceIdentifier(application_uri),
        x509.DNSName(socket.gethostname()),
    ]
    both = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    return [
        (x509.SubjectAlternativeName(names), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (usage, True),
        (x509.ExtendedKeyUsage(both), False),
    ]


if __name__ == "__main__":
    sys.stdout.write(make(f"urn:safehold:{socket.gethostname()}"))
