"""Key files: the operator's, the demonstration's own, and the certificates that are trusted."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12
from cryptography.x509.oid import NameOID

from .errors import N_, DocumentError

DEMONSTRATION = "DÉMONSTRATION — cachet sans valeur"
DEMONSTRATION_DAYS = 3 * 365


def self_signed(path: Path, password: str | None, common_name: str) -> x509.Certificate:
    """Write a PKCS#12 for the demonstration (P-256, three years, mode 600) and give its certificate.

    Its subject says that it is a demonstration. Raises ``DocumentError`` when ``path`` exists:
    a new key would leave every seal of the old one unverifiable.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, DEMONSTRATION),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
        ]
    )
    now = datetime.now(timezone.utc)
    usage = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
         "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=DEMONSTRATION_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, content_commitment=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    content = pkcs12.serialize_key_and_certificates(common_name.encode(), key, certificate, None, encryption)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise DocumentError(
            "pkcs12",
            N_("The file %(path)s exists already."),
            N_("Keep it, or move it away first: seals made with it need it to be checked."),
            path=path,
        ) from error
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
    return certificate


def read_pkcs12(path: Path, password: str | None) -> pkcs12.PKCS12KeyAndCertificates:
    """Open a PKCS#12 file. Raises ``DocumentError`` when it is absent, unreadable or locked."""
    try:
        opened = pkcs12.load_pkcs12(path.read_bytes(), password.encode() if password else None)
    except (OSError, ValueError) as error:
        raise DocumentError(
            "pkcs12",
            N_("The key file %(path)s cannot be opened: %(cause)s"),
            N_("Check its path, who may read it, and its password."),
            path=path,
            cause=error,
        ) from error
    if opened.key is None or opened.cert is None:
        raise DocumentError(
            "pkcs12",
            N_("The key file %(path)s lacks a private key or its certificate."),
            N_("Export both together as PKCS#12."),
            path=path,
        )
    return opened


def certificate_of(path: Path, password: str | None) -> x509.Certificate:
    """Give the certificate of a PKCS#12 file, to trust one's own seal. Raises ``DocumentError``."""
    certificate = read_pkcs12(path, password).cert
    assert certificate is not None  # noqa: S101 -- read_pkcs12 refuses a file without one
    return certificate.certificate


def read_certificates(paths: Iterable[Path]) -> list[x509.Certificate]:
    """Read trusted certificates from PEM (one or several a file) or DER files. Raises ``DocumentError``."""
    found: list[x509.Certificate] = []
    for path in paths:
        try:
            content = path.read_bytes()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if b"-----BEGIN" in content:
                    found.extend(x509.load_pem_x509_certificates(content))
                else:
                    found.append(x509.load_der_x509_certificate(content))
        except (OSError, ValueError) as error:
            raise DocumentError(
                "trust",
                N_("The certificate file %(path)s cannot be read: %(cause)s"),
                N_("Give a PEM or DER certificate."),
                path=path,
                cause=error,
            ) from error
    return found
