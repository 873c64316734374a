"""Key and certificates that sign reports: those of the operator, or of a demonstration authority made at set-up.

The operator names its own by CREDIT_REPORT_KEY (PEM or PKCS#12) and CREDIT_REPORT_CERT (PEM: the signing certificate,
then those of its issuers up to the root). The demonstration's key lies sealed beside the key ring. Without either no
report is issued.
"""

from __future__ import annotations

import datetime
import os
import secrets
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from creditplatform.core import sealed_files, vault
from creditplatform.core.errors import CreditError, VaultError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
SEALED_AS = "records.report-authority.key"
KEY, CHAIN = "key.sealed", "chain.pem"
YEARS_OF_ROOT, YEARS_OF_SIGNER = 20, 10
ORGANISATION = "Demonstration, fictitious"


class NoReportAuthority(CreditError):
    """Reports cannot be signed here (HTTP 503)."""

    http_status = 503
    default_code = "no_report_authority"
    default_message = _("Reports cannot be issued at the moment: the key that signs them is missing or unusable.")


@dataclass(frozen=True)
class Authority:
    """A key with its certificate and those of its issuers, the root last."""

    key: PrivateKey
    certificate: x509.Certificate
    issuers: tuple[x509.Certificate, ...]

    @property
    def root(self) -> x509.Certificate:
        """The certificate that whoever checks a report has to trust."""
        return self.issuers[-1] if self.issuers else self.certificate

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The signing certificate and its issuers."""
        return (self.certificate, *self.issuers)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the signing certificate, as tools print it without colons."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()


def authority() -> Authority:
    """The authority of this installation. Raises NoReportAuthority."""
    folder = Path(settings.REPORT_AUTHORITY)
    own = bool(settings.REPORT_KEY)
    if not own and not settings.DEMONSTRATION:
        raise NoReportAuthority
    paths = (settings.REPORT_KEY, settings.REPORT_CERT) if own else (folder / KEY, folder / CHAIN)
    named = tuple(Path(path) for path in paths if path)
    try:
        return _loaded(named, tuple(path.stat().st_mtime_ns for path in named), own)
    except (OSError, ValueError, TypeError, VaultError) as error:
        raise NoReportAuthority from error


@lru_cache(maxsize=4)
def _loaded(paths: tuple[Path, ...], stamps: tuple[int, ...], own: bool) -> Authority:
    """Read once per state of the files."""
    if own:
        return _of_operator(paths)
    key = serialization.load_pem_private_key(vault.unseal(paths[0].read_bytes(), SEALED_AS).encode(), None)
    return _fitting(key, x509.load_pem_x509_certificates(paths[1].read_bytes()))


def _of_operator(paths: tuple[Path, ...]) -> Authority:
    data, word = paths[0].read_bytes(), settings.REPORT_KEY_PASSPHRASE.encode() or None
    more = x509.load_pem_x509_certificates(paths[1].read_bytes()) if len(paths) > 1 else []
    if data.startswith(b"-----"):
        return _fitting(serialization.load_pem_private_key(data, word), more)
    key, certificate, others = pkcs12.load_key_and_certificates(data, word)
    return _fitting(key, [*([certificate] if certificate else []), *others, *more])


def _fitting(key: object, chain: list[x509.Certificate]) -> Authority:
    """Key and certificates that belong together. Raises ValueError for others."""
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) or not chain:
        raise ValueError("A report is signed with an RSA or elliptic-curve key that has a certificate.")
    if isinstance(key, ec.EllipticCurvePrivateKey) and not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("Of elliptic curves P-256 is the one that is supported.")
    if chain[0].public_key() != key.public_key():
        raise ValueError("The first certificate is not that of the key.")
    return Authority(key, chain[0], tuple(chain[1:]))


def _sealed_keys() -> list[Path]:
    place = Path(settings.REPORT_AUTHORITY) / KEY
    return [place] if place.exists() else []


FILES = sealed_files.SealedFiles("key of the demonstration's reports", _sealed_keys, SEALED_AS)


def make_demonstration_authority(folder: Path) -> bool:
    """Make root, signing certificate and key in a folder for the owner alone; says whether it had to.

    A key that no longer opens, since the key ring is another one, is made anew. Safe to run twice at once.
    """
    if (folder / KEY).exists() and _opens(folder / KEY):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}")
    draft.mkdir(mode=0o700, parents=True)
    key, chain = _demonstration()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(draft / KEY, vault.seal(pem, SEALED_AS))
    _write(draft / CHAIN, b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain))
    try:
        draft.rename(folder)
    except OSError:  # another process was first
        shutil.rmtree(draft)
        return False
    return True


def _opens(path: Path) -> bool:
    try:
        vault.unseal(path.read_bytes(), SEALED_AS)
    except VaultError:
        return False
    return True


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _demonstration() -> tuple[ec.EllipticCurvePrivateKey, tuple[x509.Certificate, x509.Certificate]]:
    """A root and a signer below it, on P-256: small, quick to sign with and read by every common reader."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, name = _name("Demonstration report authority"), _name("Demonstration report signing")
    root = _certificate(root_name, root_name, root_key.public_key(), root_key, None)
    return key, (_certificate(name, root_name, key.public_key(), root_key, root), root)


def _name(words: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, words),
        ]
    )


def _certificate(
    name: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    signing: ec.EllipticCurvePrivateKey,
    root: x509.Certificate | None,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    years = YEARS_OF_SIGNER if root else YEARS_OF_ROOT
    usage = {"digital_signature": bool(root), "content_commitment": bool(root), "key_cert_sign": not root}
    rest = ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * years))
        .add_extension(x509.BasicConstraints(ca=not root, path_length=None if root else 0), critical=True)
        .add_extension(x509.KeyUsage(**usage, crl_sign=not root, **dict.fromkeys(rest, False)), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        .sign(signing, hashes.SHA256())
    )
