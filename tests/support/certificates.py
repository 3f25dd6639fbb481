"""A certificate of the test's own for 127.0.0.1, by its own authority."""

import datetime
import ipaddress
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Paths(NamedTuple):
    """Where the files lie."""

    authority: Path
    certificate: Path
    key: Path


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def make(folder: Path) -> Paths:
    """Write an authority, and a certificate of it for 127.0.0.1."""
    root, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    first = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    last = datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC)

    def signed(subject: str, of: ec.EllipticCurvePrivateKey, ca: bool) -> bytes:
        place = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        found = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name("test root"))
            .public_key(of.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(first)
            .not_valid_after(last)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), True)
            .add_extension(x509.SubjectAlternativeName([place]), False)
            .sign(root, hashes.SHA256())
        )
        return found.public_bytes(serialization.Encoding.PEM)

    paths = Paths(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    paths.authority.write_bytes(signed("test root", root, True))
    paths.certificate.write_bytes(signed("127.0.0.1", key, False))
    paths.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
