"""A certification authority and a time-stamping service (RFC 3161 over HTTP), real and short-lived."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from asn1crypto import keys, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps import DummyTimeStamper

NOW = datetime.now(timezone.utc).replace(microsecond=0)


class Authority:
    """Issues certificates for RSA keys, from ten years ago to ten years ahead."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        years = timedelta(days=3650)
        self.certificate = self._sign("Autorité d’essai", self.key, NOW - years, NOW + years, ca=True)

    def pkcs12(self, path: Path, name: str, since: datetime, until: datetime) -> Path:
        """Write a sealing key and its certificate, without a password."""
        key = rsa.generate_private_key(65537, 2048)
        certificate = self._sign(name, key, since, until)
        path.write_bytes(
            pkcs12.serialize_key_and_certificates(b"seal", key, certificate, [self.certificate], NoEncryption())
        )
        return path

    @contextmanager
    def time_stamping(self, moment: datetime | None = None) -> Iterator[str]:
        """Serve time-stamps that say ``moment`` (default: now), and give the address."""
        key = rsa.generate_private_key(65537, 2048)
        years = timedelta(days=1000)
        certificate = self._sign("Horodatage d’essai", key, NOW - years, NOW + years, stamping=True)
        stamper = DummyTimeStamper(
            asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER)),
            keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
            fixed_dt=moment,
        )

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = tsp.TimeStampReq.load(self.rfile.read(int(self.headers["Content-Length"])))
                answer = stamper.request_tsa_response(request).dump()
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _sign(
        self, name: str, key: rsa.RSAPrivateKey, since: datetime, until: datetime, *, ca: bool = False,
        stamping: bool = False,
    ) -> x509.Certificate:  # fmt: skip
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if ca else self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(not ca, not ca and not stamping, False, False, False, ca, ca, False, False),
                critical=True,
            )
        )
        if stamping:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(self.key, hashes.SHA256())
