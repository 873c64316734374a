"""Acting for another person: asked with papers, confirmed by somebody else, seen by the person, ended in time."""

import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as conf
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, Invalid, NotPermitted, VaultError
from creditplatform.core.identity import make_resident_id
from creditplatform.core.models import AccessLog, Notice, User
from records import papers as store
from records.models import CreditRecord, RealNameBinding, Representation, Subject
from records.services import representations as service
from records.services.statements import write_statement
from records.workflows.authorisation import acts_for
from records.workflows.representation import full_age_on
from tests.accounts.representation_world import (
    CHILD,
    PDF,
    SOON,
    TODAY,
    asked,
    attorney,
    browser,
    confirmed,
    opened,
)
from tests.accounts.window_world import second
from tests.cast import MINOR_NUMBER, PERSON_NUMBER, STRANGER_NUMBER, Cast, person_subject
from tests.deliveries import ingest, person_penalty

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30 + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 30 + b"\xff\xd9"
SECOND = datetime.timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def problems(cast: Cast, **changes: Any) -> set[str]:
    with pytest.raises(Invalid) as caught:
        asked(cast, **changes)
    return {problem.field for problem in caught.value.problems}


# --- asking -------------------------------------------------------------------------------------------


def test_asking_looks_nobody_up(cast: Cast) -> None:
    on_file, nobody = attorney(cast), asked(cast)
    for case in (on_file, nobody):
        assert (case.state, case.person, case.decided_by) == ("requested", None, None)
    assert not Subject.objects.by_number(Subject(number_index=bytes(nobody.asked_index)).number_index).exists()
    assert not AccessLog.objects.exists() and not Notice.objects.exists()


def test_the_papers_are_sealed_outside_the_web_root(cast: Cast) -> None:
    case = asked(cast)
    place = Path(conf.MEDIA_ROOT) / "papers" / case.papers
    assert b"%PDF" not in place.read_bytes() and place.stat().st_mode & 0o077 == 0
    assert store.read(case.papers, case.papers_digest) == PDF
    place.write_bytes(place.read_bytes()[:-1] + b"x")
    with pytest.raises(VaultError):
        store.read(case.papers, case.papers_digest)


@pytest.mark.parametrize("content", [PDF, PNG, JPEG])
def test_three_kinds_of_files_are_taken(cast: Cast, content: bytes) -> None:
    assert store.read(*store.keep(content)) == content


@pytest.mark.parametrize(
    "content",
    [b"", b"<html><script>", b"MZ\x90\0", b"%PDF-1.7 cut off", b"GIF89a", b"PK\x03\x04", b"\xff\xd8\xff cut",
     b"<?xml version='1.0'?><svg/>", PDF + b"x" * store.MOST_BYTES],
)  # fmt: skip
def test_other_files_are_refused_by_their_content(cast: Cast, content: bytes) -> None:
    assert problems(cast, papers=content) == {"papers"}


def test_everything_wrong_is_told_at_once(cast: Cast) -> None:
    found = problems(
        cast, kind="heir", name="", number="1", scope=["file", "report"], papers_kind="attorney", papers=b""
    )
    assert found == {"name", "number", "scope", "papers_kind", "papers"}
    assert problems(cast, kind="x") >= {"kind"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "attorney", "papers_kind": "attorney"}, "valid_until"),
        ({"kind": "attorney", "papers_kind": "notary", "valid_until": TODAY}, "valid_until"),
        ({"kind": "attorney", "papers_kind": "notary", "valid_until": TODAY + datetime.timedelta(367)}, "valid_until"),
        ({"kind": "heir", "papers_kind": "kinship", "scope": ["consent"]}, "scope"),
        ({"scope": ["report"]}, "scope"),
        ({"scope": []}, "scope"),
        ({"number": STRANGER_NUMBER, "valid_until": SOON}, "papers_kind"),  # of full age
        ({"number": STRANGER_NUMBER, "papers_kind": "court"}, "valid_until"),
        (
            {"number": STRANGER_NUMBER, "papers_kind": "court", "valid_until": TODAY + datetime.timedelta(367)},
            "valid_until",
        ),
        ({"number": PERSON_NUMBER}, "number"),  # oneself
        ({"document": "passport", "number": "ZZ7000001"}, "valid_until"),
    ],
)
def test_what_the_right_does_not_carry_is_refused(cast: Cast, changes: dict[str, Any], field: str) -> None:
    assert problems(cast, **changes) == {field}


def test_the_same_is_asked_once(cast: Cast) -> None:
    asked(cast)
    with pytest.raises(Conflict):
        asked(cast)
    with pytest.raises(NotPermitted):
        asked(cast, user=cast.unbound)


# --- deciding -----------------------------------------------------------------------------------------


def test_confirmed_it_names_the_person_and_forgets_what_was_written(cast: Cast) -> None:
    case = confirmed(cast, asked(cast))
    assert case.person and case.person.number_sealed == MINOR_NUMBER
    assert (case.asked_number, case.asked_index) == (None, None)
    assert (case.checked_by, case.decided_by) == (cast.centre, second())
    assert case.valid_until == full_age_on("resident_id", MINOR_NUMBER)
    own = cast.person.real_name.subject
    assert Notice.objects.get(addressee=own.number_index).code == "representation_confirmed"
    assert Notice.objects.get(addressee=case.person.number_index).code == "representation_confirm"


def test_two_people_always(cast: Cast) -> None:
    RealNameBinding.objects.create(
        user=cast.centre, subject=person_subject("441300199001011247", "官示例"), adapter="t"
    )
    own = asked(cast, user=cast.centre)
    about = asked(
        cast, kind="attorney", papers_kind="attorney", valid_until=SOON, name="官示例", number="441300199001011247"
    )
    for user in (cast.centre, cast.officer, cast.person, cast.clerk):
        with pytest.raises(NotPermitted):
            service.check(case=own, user=user)
    assert about.state == "requested"


def test_another_name_on_file_cannot_be_confirmed(cast: Cast) -> None:
    case = attorney(cast, name="别人")
    with pytest.raises(Invalid):
        service.check(case=case, user=cast.centre)
    service.refuse(case=case, user=cast.centre, refusal="姓名与证件不符")
    case.refresh_from_db()
    assert (case.state, case.person, case.asked_number) == ("refused", None, None)


def test_a_refusal_says_why_to_the_representative_alone(cast: Cast) -> None:
    case = attorney(cast)
    with pytest.raises(Invalid):
        service.refuse(case=case, user=cast.centre, refusal=" ")
    service.refuse(case=case, user=cast.centre, refusal="委托书没有签名")
    assert "委托书没有签名" in browser(cast.person).get(reverse("me:represent")).content.decode()
    assert "委托书没有签名" not in browser(cast.stranger).get(reverse("me:represent")).content.decode()
    assert not Notice.objects.filter(addressee=cast.stranger.real_name.subject.number_index).exists()


def test_the_papers_open_for_officials_and_whoever_handed_them_in(cast: Cast) -> None:
    case = asked(cast)
    response = browser(cast.centre).get(reverse("desk:representation-papers", args=[case.token]))
    assert (response.content, response["Content-Type"]) == (PDF, "application/pdf")
    assert response["Content-Disposition"].startswith("attachment") and response["X-Content-Type-Options"] == "nosniff"
    assert AccessLog.objects.get(fields=["papers"]).subject_ref == case.representative_id
    for user in (cast.officer, cast.clerk, cast.auditor, cast.stranger):
        assert browser(user).get(reverse("desk:representation-papers", args=[case.token])).status_code == 403
        with pytest.raises(NotPermitted):
            service.open_papers(case=case, user=user)
    assert service.open_papers(case=case, user=cast.person)[0] == PDF


# --- acting -------------------------------------------------------------------------------------------


def test_the_file_of_the_person_is_open_and_every_look_names_the_representation(cast: Cast) -> None:
    case = confirmed(cast, attorney(cast))
    one = opened(cast, case)
    for page in ("home", "records", "ties", "looks"):
        text = one.get(reverse(f"me:{page}")).content.decode()
        assert "马示例" in text and reverse("me:represent-back") in text
    looks = AccessLog.objects.filter(subject_ref=case.person_id, reference=case.token)
    assert {(look.actor_id, look.authority) for look in looks} == {(cast.person.pk, "consent")} and looks.count() >= 4
    shown = browser(cast.stranger).get(reverse("me:looks")).context["looks"]
    assert all(look.who == "代理人（林**）" for look in shown if look.row.reference) and shown
    one.post(reverse("me:represent-back"))
    assert "林示例" in one.get(reverse("me:home")).content.decode()


def test_a_guardian_looks_on_statute(cast: Cast) -> None:
    case = confirmed(cast, asked(cast))
    assert CHILD in opened(cast, case).get(reverse("me:home")).content.decode()
    assert AccessLog.objects.filter(subject_ref=case.person_id, authority="statute", reference=case.token).exists()


def test_what_the_scope_does_not_name_stays_shut(cast: Cast) -> None:
    case = confirmed(cast, attorney(cast, scope=["consent"]))
    one = opened(cast, case)
    for page in ("home", "records", "ties", "looks", "notices"):
        response = one.get(reverse(f"me:{page}"))
        assert response.status_code == 403
    assert not AccessLog.objects.filter(reference=case.token).exists()
    assert acts_for(cast.person, cast.stranger.real_name.subject.number_index, "consent") == case.person  # type: ignore[arg-type]
    assert acts_for(cast.person, cast.stranger.real_name.subject.number_index, "report") is None  # type: ignore[arg-type]


def test_letters_to_the_person_are_not_delivered_to_a_representative(cast: Cast) -> None:
    case = confirmed(cast, attorney(cast))
    assert opened(cast, case).get(reverse("me:notices")).status_code == 403
    assert not Notice.objects.filter(addressee=case.person.number_index, delivered_at__isnull=False).exists()


def test_a_representative_reads_what_the_person_says_and_neither_writes_nor_sees_letters(cast: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        ingest(person_penalty(1, "马示例", STRANGER_NUMBER))
        record = CreditRecord.objects.get()
        write_statement(record=record, subject=record.subject, text="罚款已缴清。")
        case = confirmed(cast, attorney(cast))
    one, page = opened(cast, case), reverse("me:statement", args=[record.token])
    shown = one.get(reverse("me:record", args=[record.token]))
    text = shown.content.decode()
    assert "罚款已缴清。" in text and page not in text
    assert shown.context["notices"] == [] and reverse("me:notices") not in text
    assert one.get(reverse("me:timeline")).status_code == 200
    assert one.get(page).status_code == one.post(page, {"text": "别人的话"}).status_code == 403
    assert CreditRecord.objects.get().statement == "罚款已缴清。"


def test_nobody_else_opens_it(cast: Cast) -> None:
    case = attorney(cast)
    assert browser(cast.person).post(reverse("me:represent-act", args=[case.token])).status_code == 404
    confirmed(cast, case)
    assert browser(cast.stranger).post(reverse("me:represent-act", args=[case.token])).status_code == 404
    assert browser(cast.person).post(reverse("me:represent-act", args=["0" * 26])).status_code == 404


# --- ending -------------------------------------------------------------------------------------------


def shut(one: Client) -> None:
    text = one.get(reverse("me:home")).content.decode()
    assert "林示例" in text and reverse("me:represent-back") not in text


def test_the_person_ends_a_power_of_attorney_at_any_time(cast: Cast) -> None:
    case = confirmed(cast, attorney(cast))
    one = opened(cast, case)
    assert "林示例" in browser(cast.stranger).get(reverse("me:represent")).content.decode()
    browser(cast.stranger).post(reverse("me:represent-end", args=[case.token]))
    case.refresh_from_db()
    assert case.state == "ended" and case.ended_at
    shut(one)
    own = cast.person.real_name.subject
    assert Notice.objects.filter(addressee=own.number_index, code="representation_end").exists()


def test_a_power_of_attorney_ends_on_its_day(cast: Cast) -> None:
    case = confirmed(cast, attorney(cast))
    one = opened(cast, case)
    with time_machine.travel(datetime.datetime.combine(SOON, datetime.time(8), tzinfo=datetime.UTC), tick=False):
        one.force_login(cast.person, "django.contrib.auth.backends.ModelBackend")
        assert one.post(reverse("me:represent-act", args=[case.token])).status_code == 404
        assert attorney(cast, valid_until=SOON + datetime.timedelta(days=5)).state == "requested"  # may be asked anew
    case.refresh_from_db()
    assert case.state == "ended"


def test_it_ends_with_the_second_its_last_day_ends(cast: Cast) -> None:
    case = confirmed(cast, attorney(cast, scope=["file", "report"]))
    one = opened(cast, case)
    midnight = datetime.datetime.combine(SOON, datetime.time(), tzinfo=timezone.get_default_timezone())
    number_index = cast.stranger.real_name.subject.number_index
    for moment, holds in ((midnight - SECOND, True), (midnight, False), (midnight + SECOND, False)):
        with time_machine.travel(moment, tick=False):
            one.force_login(cast.person, "django.contrib.auth.backends.ModelBackend")
            kept = one.session
            kept["acting_for"] = case.token
            kept.save()
            assert ("马示例" in one.get(reverse("me:records")).content.decode()) == holds
            assert (acts_for(cast.person, number_index, "report") is not None) == holds  # type: ignore[arg-type]
    assert not AccessLog.objects.filter(reference=case.token, at__gte=midnight).exists()


def test_reports_open_by_their_own_part_of_the_scope(cast: Cast) -> None:
    case = confirmed(cast, attorney(cast))
    one = opened(cast, case)
    assert reverse("me:reports") not in one.get(reverse("me:home")).content.decode()
    assert [one.get(reverse(f"me:{page}")).status_code for page in ("reports", "report-order")] == [403, 403]
    Representation.objects.update(scope=["file", "report"])
    assert reverse("me:reports") in one.get(reverse("me:home")).content.decode()
    assert [one.get(reverse(f"me:{page}")).status_code for page in ("reports", "report-order")] == [200, 200]
    assert one.get(reverse("me:shares")).status_code == 403


def test_a_guardian_sees_nothing_from_full_age_on(cast: Cast) -> None:
    number = make_resident_id("441302", TODAY - datetime.timedelta(days=17 * 365), 998)
    case = confirmed(cast, asked(cast, number=number))
    adult = full_age_on("resident_id", number)
    assert adult and case.valid_until == adult
    assert CHILD in opened(cast, case).get(reverse("me:home")).content.decode()
    with time_machine.travel(datetime.datetime.combine(adult, datetime.time(8), tzinfo=datetime.UTC), tick=False):
        one = browser(cast.person)
        kept = one.session
        kept["acting_for"] = case.token
        kept.save()
        shut(one)
        assert not Representation.objects.holding().exists()
        with pytest.raises(Invalid):
            asked(cast, number=number)
    assert Representation.objects.holding(on=adult - datetime.timedelta(days=1)).exists()


def test_a_ward_does_not_end_the_guardianship_the_guardian_may_step_back(cast: Cast) -> None:
    case = confirmed(cast, asked(cast))
    child = User.objects.create_user("child", None)
    RealNameBinding.objects.create(user=child, subject=case.person, adapter="test")
    with pytest.raises(NotPermitted):
        service.end(case=case, user=child)
    assert service.end(case=case, user=cast.person).state == "ended"


def test_a_request_may_be_withdrawn(cast: Cast) -> None:
    case = service.end(case=asked(cast), user=cast.person)
    assert (case.state, case.asked_number) == ("ended", None)
    asked(cast)


def test_near_relatives_see_the_file_and_nothing_else(cast: Cast) -> None:
    RealNameBinding.objects.filter(user=cast.stranger).delete()
    case = asked(cast, kind="heir", papers_kind="kinship", name="马示例", number=STRANGER_NUMBER)
    case = confirmed(cast, case)
    assert opened(cast, case).get(reverse("me:records")).status_code == 200
    assert acts_for(cast.person, case.person.number_index, "consent") is None  # type: ignore[arg-type,union-attr]


# --- pages --------------------------------------------------------------------------------------------


def test_it_is_asked_and_decided_on_pages(cast: Cast) -> None:
    file = SimpleUploadedFile("any.name", PDF, "text/html")
    given = {
        "kind": "guardian", "name": CHILD, "document": "resident_id", "number": MINOR_NUMBER, "scope": ["file"],
        "papers_kind": "birth", "papers": file,
    }  # fmt: skip
    assert browser(cast.person).post(reverse("me:represent-ask"), given).status_code == 302
    case = Representation.objects.get()
    desk = browser(cast.centre)
    assert case.token in desk.get(reverse("desk:representations")).content.decode()
    page = desk.get(reverse("desk:representation", args=[case.token])).content.decode()
    assert all(word in page for word in (CHILD, MINOR_NUMBER, "林示例", PERSON_NUMBER))
    assert AccessLog.objects.filter(subject_ref=case.representative_id, case_number=case.token).count() == 1
    address = reverse("desk:representation", args=[case.token])
    desk.post(address, {"act": "confirm"})  # not before somebody has checked, and not by the same official
    desk.post(address, {"act": "check"})
    desk.post(address, {"act": "confirm"})
    assert Representation.objects.get().state == "checked"
    assert case.token in desk.get(reverse("desk:representations")).content.decode()
    browser(second()).post(address, {"act": "confirm"})
    assert CHILD in browser(cast.person).get(reverse("me:represent")).content.decode()
    assert Representation.objects.get().state == "confirmed"


def test_a_refusal_without_a_reason_says_so_at_the_field(cast: Cast) -> None:
    case = asked(cast)
    page = browser(cast.centre).post(reverse("desk:representation", args=[case.token]), {"act": "refuse"})
    assert page.status_code == 200 and 'id="refusal_error"' in page.content.decode()
    assert Representation.objects.get().state == "requested"


def test_an_empty_form_names_every_gap(cast: Cast) -> None:
    response: HttpResponse = browser(cast.person).post(reverse("me:represent-ask"), {})
    assert {"kind", "name", "document", "number", "scope", "papers_kind"} <= set(response.context["form"].errors)
