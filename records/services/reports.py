"""Issue credit reports, hand out their files, withdraw them. All of it must run in an audit context."""

import datetime
import hashlib
from typing import NamedTuple

import msgspec
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.errors import CreditError, FieldProblem, Invalid, NotFoundHere, NotPermitted
from creditplatform.core.identity import IdentifierKind, age_on, facts
from creditplatform.core.models import Agency, Site, User
from creditplatform.core.notices import write_notice
from creditplatform.core.rules import RuleBook, load_rulebook
from creditplatform.core.vault import public_token
from creditplatform.core.wording import in_both
from records.bound import representing, subject_of
from records.enums import OwnPurpose, RepresentationScope, SubjectKind
from records.models import Authorisation, CreditReport, EntryVersion, Representation, Subject
from records.queries.disclosure import Asker, register
from records.queries.grants import Grant
from records.querysets.queries import REPORT_KIND
from records.reports import document, store
from records.reports.authority import authority
from records.reports.content import Frame, content
from records.reports.extract import digest, extract
from records.reports.order import Order
from records.reports.signing import sign_json, sign_pdf
from records.services.own_limits import check_reports
from records.workflows.credit_report import CREDIT_REPORT, may_have

VALID_DAYS = "report.valid_days"
ABOUT_REPORT = "report:"
REVOKED = _(
    "The credit report about you of %(day)s was withdrawn by somebody who represents you or by the credit centre."
    " Whoever checks it is told so. You can get a new one at any time, free of charge."
)
AGE = "age.negative_records"
NOTHING = "credit-report"  # what a line of the access log names where a report had no record to show


class NoReportOfMinors(CreditError):
    """No report is made about a minor (HTTP 403)."""

    http_status = 403
    default_code = "minor"
    default_message = _("No credit report is made about a person under %(age)s.")


class Issued(NamedTuple):
    """A report that was made, and the number of its line in the access log."""

    report: CreditReport
    access: int


class Requester(NamedTuple):
    """Who gets a report and on what authority; `agency` where it is a unit."""

    user: User | None
    authority: Authority
    reference: str = ""
    agency: Agency | None = None
    authorisation: Authorisation | None = None
    representation: Representation | None = None
    case_number: str = ""
    door: Door = Door.WEB


def issue_report(*, user: User, subject: Subject, site: Site, order: Order, address: str = "") -> CreditReport:
    """Issue a report to the person, or to a representative who may get reports.

    `address` is how addresses of this platform begin, where the setting PUBLIC_URL does not say it. Raises
    NotPermitted, TooManyToday, NoReportOfMinors, Invalid, NoReportAuthority.
    """
    requester = _requester(user, subject)
    with transaction.atomic():
        check_reports(user)
        return issue(subject=subject, site=site, order=order, requester=requester, address=address).report


def revoke_report(*, report: CreditReport, user: User, grounds: str = "") -> CreditReport:
    """Withdraw a report: whoever checks it from now on is told so, and the person where somebody else did it.

    Raises NotPermitted, Conflict.
    """
    with transaction.atomic():
        taken = CREDIT_REPORT.take("revoke", report, user=user, grounds=grounds)
        if subject_of(user) != taken.subject:
            _tell_revoked(taken)
    return taken


def _tell_revoked(report: CreditReport) -> None:
    day = timezone.localdate(report.issued_at).isoformat()
    text, text_en = in_both(lambda: str(REVOKED) % {"day": day})
    write_notice(
        addressee=bytes(report.subject.number_index), code="credit_report_revoked", text=text, text_en=text_en,
        about=f"{ABOUT_REPORT}{report.code}",
    )  # fmt: skip


def own_report(user: User, code: str) -> CreditReport:
    """The report of that number, for the person or the representative it was made for. Raises NotFoundHere."""
    report = CreditReport.objects.with_code(code)
    if report is None or not may_have(report, user):
        raise NotFoundHere
    return report


def own_reports(user: User, subject: Subject) -> QuerySet[CreditReport]:
    """Reports about a person that this account may have, newest first; of a representative those made for them."""
    found = CreditReport.objects.of_person(subject.pk)
    if subject_of(user) == subject:
        return found
    held = Representation.objects.holding().filter(representative=subject_of(user), person=subject)
    return found.filter(representation__in=held.filter(scope__contains=[RepresentationScope.REPORT]))


def reports_of_units(user: User, subject: Subject) -> QuerySet[CreditReport]:
    """Reports that units got with the person's consent, newest first; for the person alone."""
    own = subject_of(user) == subject
    return CreditReport.objects.of_units(subject.pk) if own else CreditReport.objects.none()


def made_under(authorisation: Authorisation, user: User) -> list[CreditReport]:
    """Reports made under a consent that this account may have, newest first."""
    rows = authorisation.reports.select_related("agency", "authorisation").order_by("-issued_at", "-pk")
    return [report for report in rows if may_have(report, user)]


def download(*, report: CreditReport, user: User, signed: bool = False) -> bytes:
    """The PDF, or the signed JSON, of a report; written to the access log first. Raises NotPermitted, NotFoundHere."""
    requester = _requester(user, report.subject)
    if not may_have(report, user):
        raise NotPermitted
    with transaction.atomic():
        _log(report.subject, requester, [NOTHING], AccessResult.SHOWN)
        return store.fetch(report.signed if signed else report.pdf)


def _requester(user: User, subject: Subject) -> Requester:
    """The person, or a representative, whose authority is named by the number of the representation."""
    own = subject_of(user)
    if own is None:
        raise NotPermitted
    if own.pk == subject.pk:
        return Requester(user, Authority.SELF)
    by = representing(own, bytes(subject.number_index), RepresentationScope.REPORT)
    if by is None:
        raise NotPermitted
    return Requester(user, Authority.CONSENT, by.token, representation=by)


def issue(*, subject: Subject, site: Site, order: Order, requester: Requester, address: str) -> Issued:
    """Make a report for whoever has the authority, written to the access log first; must run in a transaction.

    Raises NoReportOfMinors, Invalid, NoReportAuthority.
    """
    now, rulebook = timezone.now(), load_rulebook()
    today = timezone.localtime(now).date()
    _refuse_minors(subject, rulebook, today, site)
    _check(order, today)
    signing, key = authority(), _next_key()
    code = public_token(REPORT_KIND, key)
    frame = Frame(
        site=site, code=code, verify=verify_address(code, address), at=now, rulebook=rulebook,
        valid_until=valid_until(rulebook, today, site), recipient=requester.agency, case_number=requester.case_number,
    )  # fmt: skip
    with translation.override(order.language):
        found = extract(subject, order, today=today)
        seen = sorted({record.entry.code for record in found.records})
        shown = AccessResult.SHOWN if seen else AccessResult.NOTHING
        access = _log(subject, requester, seen or [NOTHING], shown, order.grant)
        said = content(subject, order, found, frame)
        pdf = sign_pdf(document.pdf(said, site.code), signing)
    written = msgspec.json.encode(said)
    files = {f"{code}.pdf": pdf, f"{code}.jws": sign_json(written, signing)}
    try:
        for name, data in files.items():
            store.keep(name, data)
        report = CreditReport.objects.create(
            pk=key, subject=subject, site=site, kind=order.kind, fields=list(order.entries),
            period_from=order.period_from, period_until=order.period_until, as_of=order.as_of, cut_off_at=now,
            language=order.language, requested_by=requester.user, agency=requester.agency,
            authorisation=requester.authorisation, representation=requester.representation, issued_at=now,
            valid_until=frame.valid_until, content=written.decode(), data_digest=digest(subject, found),
            certificate=signing.fingerprint, pdf=f"{code}.pdf", pdf_digest=_sha256(pdf), signed=f"{code}.jws",
            signed_digest=_sha256(files[f"{code}.jws"]),
        )  # fmt: skip
        return Issued(report, access)
    except BaseException:
        store.discard(*files)
        raise


def _refuse_minors(subject: Subject, rulebook: RuleBook, today: datetime.date, site: Site) -> None:
    """A number that tells no date of birth is taken for that of an adult: such records were checked when received."""
    if subject.kind != SubjectKind.PERSON:
        raise NotPermitted
    birth = facts(IdentifierKind(subject.identifier_kind), subject.number_sealed or "", today).birth_date
    age = rulebook.value(AGE, today, site.code)
    if birth and age_on(birth, today) < age:
        raise NoReportOfMinors(age=age)


def _check(order: Order, today: datetime.date) -> None:
    """Everything wrong with an order, told at once."""
    problems = []
    if order.as_of > today:
        problems.append(FieldProblem("as_of", "in_future", _("Choose today or a day that is past.")))
    if order.period_from and order.period_until and order.period_until < order.period_from:
        problems.append(FieldProblem("period_until", "ends_before", _("The period ends before it begins.")))
    if order.special and not order.entries:
        problems.append(FieldProblem("entries", "nothing_chosen", _("Choose at least one kind of record.")))
    if set(order.entries) - {code for code, _label in choosable(today)}:
        problems.append(FieldProblem("entries", "unknown", _("Choose kinds of record from the list.")))
    if order.language not in dict(settings.LANGUAGES):
        problems.append(FieldProblem("language", "unknown", _("Choose one of the languages.")))
    if problems:
        raise Invalid(problems)


def choosable(on: datetime.date) -> list[tuple[str, EntryVersion]]:
    """The kinds of record about persons that may be collected on a day, each with its version, by code."""
    versions = EntryVersion.objects.collecting(on=on).filter(subject_kinds__contains=[SubjectKind.PERSON])
    return [(version.entry.code, version) for version in versions.select_related("entry").order_by("entry__code")]


def valid_until(rulebook: RuleBook, today: datetime.date, site: Site) -> datetime.date | None:
    """The last day of a report issued today; None where no value is in force, since none is invented."""
    values = rulebook.versions(VALID_DAYS, since=today, until=today, site=site.code)
    return today + datetime.timedelta(days=values[0].value) if values else None


def verify_address(code: str, address: str = "") -> str:
    """Where anybody can check the report of that number."""
    return f"{(settings.PUBLIC_URL or address).rstrip('/')}/verify/{code}/"


def _log(
    subject: Subject, requester: Requester, seen: list[str], result: AccessResult, grant: Grant | None = None
) -> int:
    """Write the line of the access log; its number."""
    if grant:
        asker = Asker(requester.agency, requester.user, requester.door, requester.case_number)
        return register(subject.pk, grant, asker, [] if seen == [NOTHING] else seen)
    return record_disclosure(
        subject_ref=subject.pk, actor=requester.user, purpose=OwnPurpose.OWN_REPORT, authority=requester.authority,
        reference=requester.reference, fields=seen, result=result,
    ).pk  # fmt: skip


def _next_key() -> int:
    """The key of the next report, known before it is stored, since its number stands in the signed file."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [CreditReport._meta.db_table])
        return int(cursor.fetchone()[0])


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
