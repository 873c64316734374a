"""Whether a report holds: genuine, unchanged, not withdrawn; and whether a file is the one that was issued."""

import hashlib
import io
import re
import unicodedata
from enum import StrEnum

from django.utils import timezone
from jwt.api_jws import PyJWS
from jwt.exceptions import PyJWTError
from jwt.utils import base64url_decode, base64url_encode
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from records.models import CreditReport
from records.queries.grants import grant_as_given
from records.reports.authority import NoReportAuthority, authority
from records.reports.extract import digest, extract
from records.reports.order import order_of
from records.reports.signing import algorithm, asn1

LARGEST_FILE = 5 * 1024**2
PDF_BEGINS = b"%PDF-"
MISREAD = str.maketrans({"0": "o", "1": "l", "8": "b", "9": "g"})  # the alphabet of codes has none of these digits
# What stands between groups, and the unseen characters that come along when a number is copied.
PUNCTUATION = re.compile(r"[\s\-\u2010-\u2015\u2212\u00ad\u200b-\u200f\u2060\ufeff_.·・]+")


class Verdict(StrEnum):
    """What a file is beside the report whose number was given."""

    SAME = "same"
    ANOTHER = "another"
    CHANGED = "changed"


def typed(code: str) -> str:
    """A number as it may be typed from paper: capitals, groups, full-width letters and digits that look like letters
    are all the same.
    """
    return PUNCTUATION.sub("", unicodedata.normalize("NFKC", code)).lower().translate(MISREAD)


def changed_since(report: CreditReport) -> bool:
    """Whether the records behind a report are others today than those it shows; never which."""
    today = timezone.localdate()
    grant = grant_as_given(report.authorisation) if report.authorisation else None
    order = order_of(report, as_of=today, grant=grant)
    return digest(report.subject, extract(report.subject, order, today=today)) != report.data_digest


def judge(report: CreditReport, data: bytes) -> Verdict:
    """Whether a file is that of the report, a genuine one of another report, or neither. The file is kept nowhere."""
    data = _as_issued(data)
    if _digest_of(data) in (report.pdf_digest, report.signed_digest):
        return Verdict.SAME
    return Verdict.ANOTHER if signed_by_us(data) else Verdict.CHANGED


def report_of_file(data: bytes) -> CreditReport | None:
    """The report of which this is, to the last character, the file that was issued. The file is kept nowhere."""
    return CreditReport.objects.with_file(_digest_of(_as_issued(data)))


def _as_issued(data: bytes) -> bytes:
    """White space at the end of signed JSON does not matter: editors and mail programs add it."""
    return data if data.startswith(PDF_BEGINS) else data.rstrip()


def _digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def signed_by_us(data: bytes) -> bool:
    """Whether a PDF or JWS bears an intact signature of this installation over all of it."""
    try:
        return pdf_holds(data) if data.startswith(PDF_BEGINS) else json_holds(data)
    except NoReportAuthority:
        return False


def pdf_holds(data: bytes) -> bool:
    """One signature by our authority over the whole file, and nothing changed or added since."""
    context = ValidationContext(trust_roots=[asn1(authority().root)], allow_fetching=False)
    try:
        signatures = PdfFileReader(io.BytesIO(data)).embedded_signatures
        if len(signatures) != 1 or sum(list(signatures[0].byte_range)[2:]) != len(data):
            return False
        return bool(validate_pdf_signature(signatures[0], context).bottom_line)
    except Exception:  # whatever a file from outside makes a reader stumble over, it is not ours
        return False


def json_holds(data: bytes) -> bool:
    """A JWS signed with the key of our certificate, written as it is signed: no byte of it may be another."""
    signing = authority()
    try:
        if any(base64url_encode(base64url_decode(part)) != part for part in data.split(b".")):
            return False
        PyJWS().decode(data, signing.key.public_key(), algorithms=[algorithm(signing.certificate)])
    except (PyJWTError, ValueError):  # base64 that is none is a ValueError
        return False
    return True
