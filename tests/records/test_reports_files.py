"""The files of a report: PDF/A with its font and signature, signed JSON, sealed in the store; who is told what."""

import base64
import datetime
import io
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from django.core.management import CommandError, call_command
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from creditplatform.core.errors import NotFoundHere, VaultError
from records.models import CreditReport, Subject
from records.reports import checking, glyphs, store
from records.reports.authority import CHAIN, KEY, NoReportAuthority, authority, make_demonstration_authority
from records.reports.checking import Verdict, judge
from records.reports.document import pictures
from records.reports.signing import asn1, sign_json, sign_pdf
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import ingest, person_penalty, quick_passwords  # noqa: F401
from tests.records.report_world import has_authority, issued, jws_of, pdf_of, person_of, said

RARE = "𬭚䶮㛃𠅤𰻝"


@pytest.fixture
def report(cast: Cast) -> CreditReport:
    ingest(person_penalty(1, "林示例", PERSON_NUMBER))
    return issued(cast.person)


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """An authority of its own."""
    settings.REPORT_AUTHORITY = tmp_path / "authority"
    yield settings.REPORT_AUTHORITY


SHOWN = re.compile(rb"(/\w+) [\d.]+ Tf|<([0-9A-Fa-f]+)>|\(((?:\\.|[^\\()])*)\)", re.DOTALL)
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_of(pdf: bytes) -> str:
    """What a reader of PDF gets out of it: the glyphs of all pages by the tables that say what they stand for."""
    found: list[str] = []
    for page in pages_of(PdfFileReader(io.BytesIO(pdf)).root["/Pages"]):
        fonts = page["/Resources"]["/Font"]
        known = {name: unicode_of(font.get_object()["/ToUnicode"].data.decode()) for name, font in fonts.items()}
        current: dict[int, str] = {}
        for name, digits, letters in SHOWN.findall(page["/Contents"].get_object().data):
            if name:
                current = known[name.decode()]
                continue
            glyphs_shown = bytes.fromhex(digits.decode()) if digits else unescaped(letters)
            found += [
                current.get(int.from_bytes(glyphs_shown[at : at + 2], "big"), "")
                for at in range(0, len(glyphs_shown), 2)
            ]
    return "".join(found)


def pages_of(node: Any) -> Iterator[Any]:
    for kid in node.get_object().get("/Kids", []):
        page = kid.get_object()
        yield from pages_of(page) if "/Kids" in page else [page]


def unescaped(text: bytes) -> bytes:
    """A literal string of a PDF."""
    return re.sub(
        rb"\\([0-7]{1,3}|.)",
        lambda m: bytes([int(m[1], 8)]) if m[1].isdigit() else ESCAPES.get(m[1], m[1]),
        text,
        flags=re.DOTALL,
    )


def unicode_of(table: str) -> dict[int, str]:
    """The glyphs of a font with the text each stands for."""
    pairs = re.findall(r"^<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>$", table, re.MULTILINE)
    return {int(glyph, 16): bytes.fromhex(text).decode("utf-16-be") for glyph, text in pairs}


# --- the document -------------------------------------------------------------------------------------


def test_it_says_that_it_is_pdf_a_with_one_embedded_font_and_tags(report: CreditReport) -> None:
    pdf = pdf_of(report)
    assert pdf.startswith(b"%PDF-1.7")
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf and b"<pdfaid:conformance>A</pdfaid:conformance>" in pdf
    reader = PdfFileReader(io.BytesIO(pdf))
    assert reader.root["/MarkInfo"]["/Marked"]
    assert reader.root["/Lang"] == "zh"
    names = {str(name) for name in re.findall(rb"/FontName ?/([\w+-]+)", pdf)}
    assert names and all("NotoSansSC" in name for name in names), names


@pytest.mark.parametrize("name", [*RARE, "林示例", "Müller", "阿卜杜·热合曼"])
def test_names_are_set_right(cast: Cast, name: str) -> None:
    person = person_of(cast.person)
    Subject.objects.filter(pk=person.pk).update(name_sealed=f"林{name}")
    report = issued(cast.person)
    assert said(report)["person"]["name"] == f"林{name}"
    assert f"林{name}" in text_of(pdf_of(report))


RARER = "\U00020985\U0002a745\U0002b7c1\U0002b9f5\U0002e9f5"  # of extensions B to F


@pytest.mark.skipif(glyphs.rare_font() is None, reason="the font with rare characters is not on this machine")
def test_rare_characters_of_names_come_from_the_second_font(cast: Cast) -> None:
    assert not {ord(one) for one in RARER} & glyphs.known()
    Subject.objects.filter(pk=person_of(cast.person).pk).update(name_sealed=f"林{RARER}")
    report = issued(cast.person)
    pdf = pdf_of(report)
    assert f"林{RARER}" in text_of(pdf) and "[U+" not in text_of(pdf)
    assert re.search(rb"/FontName ?/[A-Z]{6}\+HanaMinB", pdf), "embedded, as PDF/A wants it"
    assert validated(pdf).bottom_line


def test_without_the_second_font_they_are_printed_as_codes(cast: Cast, settings: Any, tmp_path: Path) -> None:
    settings.REPORT_RARE_FONT = str(tmp_path / "nowhere.ttf")
    Subject.objects.filter(pk=person_of(cast.person).pk).update(name_sealed=f"林{RARER[0]}")
    assert "林[U+20985]" in text_of(pdf_of(issued(cast.person)))


def test_a_character_the_fonts_lack_is_printed_as_its_code_and_explained(cast: Cast, settings: Any) -> None:
    settings.REPORT_RARE_FONT = ""
    Subject.objects.filter(pk=person_of(cast.person).pk).update(name_sealed="林\U0002e9f5\ue001")
    report = issued(cast.person, language="en")
    text = text_of(pdf_of(report))
    assert "林[U+2E9F5][U+E001]" in text
    assert "A character that the font of this report lacks" in text
    assert said(report)["person"]["name"] == "林\U0002e9f5\ue001", "the data keep the character"


def test_the_table_of_glyphs_is_that_of_the_font() -> None:
    assert {ord(one) for one in f"A中{RARE}"} <= glyphs.known()
    assert not {0x2E9F5, 0xE001} & glyphs.known()
    assert len(glyphs.known()) > 20_000


def test_words_of_units_are_never_taken_for_markup(cast: Cast) -> None:
    hostile = '#read("report.typ") $x$ *b* [l] \\ <a> // x'
    ingest(person_penalty(2, "林示例", PERSON_NUMBER, CF_NR=hostile))
    assert hostile.replace(" ", "") in text_of(pdf_of(issued(cast.person))).replace(" ", "")


def test_pages_can_be_drawn(report: CreditReport) -> None:
    pages = pictures(said(report), "huizhou")
    assert len(pages) >= 2
    assert all(page.startswith(b"\x89PNG") for page in pages)


# --- the signature ------------------------------------------------------------------------------------


def validated(pdf: bytes) -> Any:
    context = ValidationContext(trust_roots=[asn1(authority().root)], allow_fetching=False)
    return validate_pdf_signature(PdfFileReader(io.BytesIO(pdf)).embedded_signatures[0], context)


def test_the_signature_is_pades_covers_everything_and_allows_no_change(report: CreditReport) -> None:
    pdf = pdf_of(report)
    status = validated(pdf)
    assert status.bottom_line and status.trusted and status.intact
    assert status.coverage == SignatureCoverageLevel.ENTIRE_FILE
    signature = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[0]
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert signature.docmdp_level.value == 1
    assert report.certificate == authority().fingerprint


def test_one_changed_byte_breaks_it(report: CreditReport) -> None:
    pdf = bytearray(pdf_of(report))
    assert judge(report, bytes(pdf)) == Verdict.SAME
    for at in (200, len(pdf) // 3, len(pdf) // 2):
        touched = bytearray(pdf)
        touched[at] ^= 1
        assert judge(report, bytes(touched)) == Verdict.CHANGED, at
    assert judge(report, bytes(pdf) + b"\n% more") == Verdict.CHANGED
    assert judge(report, b"") == judge(report, b"%PDF-1.7 nothing") == judge(report, b"\x00" * 100) == Verdict.CHANGED


def test_the_genuine_file_of_another_report_is_told_apart(cast: Cast, report: CreditReport) -> None:
    other = issued(cast.stranger)
    assert judge(report, pdf_of(other)) == judge(report, jws_of(other)) == Verdict.ANOTHER


def test_somebody_elses_signature_is_not_ours(report: CreditReport, folder: Path) -> None:
    ours = (pdf_of(report), jws_of(report))
    make_demonstration_authority(folder)
    assert not any(checking.signed_by_us(file) for file in ours)
    bare = PdfFileReader(io.BytesIO(ours[0])).embedded_signatures[0]
    assert bare is not None
    assert checking.signed_by_us(sign_json(b"{}", authority()))


def test_the_signed_json_is_jws_and_any_change_breaks_it(report: CreditReport) -> None:
    jws = jws_of(report)
    assert judge(report, jws) == Verdict.SAME
    head, body, signature = jws.split(b".")
    forged = base64.urlsafe_b64encode(b'{"sections":[]}').rstrip(b"=")
    assert judge(report, b".".join([head, forged, signature])) == Verdict.CHANGED
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=")
    assert judge(report, b".".join([unsigned, body, b""])) == Verdict.CHANGED


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
def test_openssl_checks_the_signed_json(report: CreditReport, tmp_path: Path) -> None:
    """The steps that docs/reports.md describes."""
    head, body, signature = jws_of(report).split(b".")
    raw = base64.urlsafe_b64decode(signature + b"==")
    numbers = [int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")]
    (tmp_path / "signature.der").write_bytes(checking_der(numbers))
    (tmp_path / "signed").write_bytes(head + b"." + body)
    public = authority().certificate.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    words = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature.der", "signed"]
    assert "Verified OK" in subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False).stdout


def checking_der(numbers: list[int]) -> bytes:
    """Two numbers as an ASN.1 sequence."""
    parts = b""
    for number in numbers:
        body = number.to_bytes(number.bit_length() // 8 + 1, "big")
        parts += bytes([2, len(body)]) + body
    return bytes([0x30, len(parts)]) + parts


# --- the store ----------------------------------------------------------------------------------------


def test_files_are_sealed_and_the_owners_alone(report: CreditReport) -> None:
    for name in (report.pdf, report.signed):
        path = store.folder() / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not path.read_bytes().startswith((b"%PDF", b"ey"))
        assert report.code in name
    assert stat.S_IMODE(store.folder().stat().st_mode) == 0o700


def test_a_touched_or_lost_file_is_not_handed_out(report: CreditReport) -> None:
    path = store.folder() / report.pdf
    sealed = path.read_bytes()
    path.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(VaultError):
        store.fetch(report.pdf)
    path.unlink()
    with pytest.raises(NotFoundHere):
        store.fetch(report.pdf)


def test_nothing_is_left_where_a_report_was_not_issued(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    has_authority()
    monkeypatch.setattr("records.services.reports.digest", lambda *words: "")
    with pytest.raises(Exception, match="credit_report_complete"):
        issued(cast.person)
    assert not list(store.folder().iterdir())


# --- the authority ------------------------------------------------------------------------------------


def test_the_demonstration_authority_is_made_once_and_its_key_lies_sealed(folder: Path, cast: Cast) -> None:
    assert make_demonstration_authority(folder)
    assert not make_demonstration_authority(folder)
    assert stat.S_IMODE((folder / KEY).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert b"PRIVATE" not in (folder / KEY).read_bytes()
    signer, root = x509.load_pem_x509_certificates((folder / CHAIN).read_bytes())
    signer.verify_directly_issued_by(root)


def test_a_key_of_another_ring_is_made_anew(folder: Path) -> None:
    make_demonstration_authority(folder)
    (folder / KEY).write_bytes(b"\x01\x63" + b"0" * 60)
    assert make_demonstration_authority(folder)
    assert authority().key


def test_without_a_key_no_report_is_issued(folder: Path, settings: Any, cast: Cast) -> None:
    with pytest.raises(NoReportAuthority):
        authority()
    make_demonstration_authority(folder)
    settings.DEMONSTRATION = False
    with pytest.raises(NoReportAuthority):
        issued(cast.person)
    assert not CreditReport.objects.exists()
    with pytest.raises(CommandError, match="CREDIT_REPORT_KEY"):
        call_command("init_report_authority", stdout=io.StringIO())


@pytest.mark.parametrize("form", ["pem", "p12"])
def test_an_operators_own_key_signs(folder: Path, settings: Any, tmp_path: Path, cast: Cast, form: str) -> None:
    make_demonstration_authority(folder)
    own = authority()
    settings.DEMONSTRATION, settings.REPORT_KEY_PASSPHRASE = False, "secret"
    word = serialization.BestAvailableEncryption(b"secret")
    if form == "pem":
        data = own.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, word)
        settings.REPORT_CERT = str(folder / CHAIN)
    else:
        data = pkcs12.serialize_key_and_certificates(b"k", own.key, own.certificate, list(own.issuers), word)
    (tmp_path / "own").write_bytes(data)
    settings.REPORT_KEY = str(tmp_path / "own")
    report = issued(cast.person)
    assert validated(pdf_of(report)).bottom_line
    assert report.certificate == own.fingerprint
    settings.REPORT_KEY_PASSPHRASE = "wrong"
    (tmp_path / "own").touch()
    with pytest.raises(NoReportAuthority):
        authority()


def test_the_command_makes_it_and_says_which_certificate_signs(folder: Path, cast: Cast) -> None:
    out = io.StringIO()
    call_command("init_report_authority", stdout=out)
    assert authority().fingerprint in out.getvalue()
    assert sign_pdf
    assert authority().certificate.not_valid_after_utc > datetime.datetime.now(datetime.UTC)
