"""The demonstration's queries: a consent used, a clean record sent to a person, a list checked, looks reviewed."""

import csv
import datetime
import io

from django.utils import timezone

from creditplatform.core.demonstration import BOUND_CITIZEN
from creditplatform.core.enums import Door
from creditplatform.core.models import Agency, User
from records.demonstration.citizens import BOUND
from records.demonstration.ties import identifier_of
from records.demonstration.traces import LOOKS
from records.demonstration.world import World
from records.enums import QueryKind
from records.models import AccessReview, Authorisation, Purpose, Query
from records.services import access_alarms, access_reviews, authorisations, batch_checks, queries
from records.services.queries import Draft

UNIT, CASE = "hz-market", "演示〔2026〕{}号"
KEPT_DAYS, USES = 60, 3
LISTED, WRONG = 6, "441300199001011230"


def ask(world: World) -> dict[str, int]:
    """Queries of the market unit about the bound citizen and a list; nothing where there are some already.

    Must run in an audit context.
    """
    if Query.objects.exists():
        return {"queries": 0, "batch_checks": 0, "access_reviews": 0}
    agency = Agency.objects.select_related("site").get(code=UNIT)
    clerk, officer = (User.objects.get(username=name) for name in ("clerk", "officer"))
    for code in ("special-industry", "green-channel"):
        _consent(agency, clerk, code)
    _request(agency, clerk, "special-industry", 3, "请您在办理行业准入审查前答复（演示）")
    asked = [_query(agency, clerk, "special-industry", QueryKind.RECORDS, 1)]
    asked.append(_query(agency, officer, "green-channel", QueryKind.ELIGIBILITY, 2))
    queries.send_to_person(query=asked[1], user=officer, words="申请人称罚款已缴清（演示）")
    _check(agency, clerk, world)
    return {"queries": len(asked), "batch_checks": 1, "access_reviews": _review(world)}


def _consent(agency: Agency, clerk: User, code: str) -> None:
    citizen = User.objects.get(username=BOUND_CITIZEN)
    request = _request(agency, clerk, code, 1)
    purpose = request.purpose
    authorisations.grant(
        authorisation=request,
        user=citizen,
        fields=request.requested_fields,
        expires_at=timezone.now() + datetime.timedelta(days=min(KEPT_DAYS, purpose.longest_days)),
        uses_allowed=min(USES, purpose.most_uses),
    )


def _request(agency: Agency, clerk: User, code: str, number: int, message: str = "") -> Authorisation:
    purpose = Purpose.objects.select_related("legal_basis").get(code=code)
    return authorisations.request_authorisation(
        agency=agency, purpose=purpose, person=identifier_of(BOUND), name=BOUND.name, fields=(),
        case_number=CASE.format(number), message=message, user=clerk,
    )  # fmt: skip


def _query(agency: Agency, user: User, purpose: str, kind: QueryKind, number: int) -> Query:
    person = identifier_of(BOUND)
    draft = Draft(
        agency=agency, user=user, purpose=purpose, kind=kind.value, name=BOUND.name, document=person.kind.value,
        number=person.number, case_number=CASE.format(number),
    )  # fmt: skip
    return queries.open_result(query=queries.submit(draft), user=user).query


def _check(agency: Agency, clerk: User, world: World) -> None:
    """A list on which the citizen stands, others who have authorised nothing, and a mistyped number."""
    rows = [["姓名", "证件号码", "备注"], [BOUND.name, BOUND.number, ""], [BOUND.name, WRONG, "号码有误"]]
    rows += [[person.name, person.number, ""] for person in world.adults[:LISTED]]
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    batch = batch_checks.submit(
        agency=agency, user=clerk, purpose="green-channel", case_number=CASE.format(3),
        blocks=[buffer.getvalue().encode()], file_name="绿色通道名单（演示）.csv",
    )  # fmt: skip
    batch_checks.work_off(batch)


def _review(world: World) -> int:
    """Looks of the past are drawn; one of them is being explained."""
    today, opened = timezone.localdate(), 0
    for look in LOOKS:
        day = world.anchor - datetime.timedelta(days=look.days)
        opened += sum(access_alarms.review_day(day=day, today=today, door=Door.COMMAND).values())
    supervisor = User.objects.get(username="supervisor")
    for review in AccessReview.objects.visible_to(supervisor).open()[:1]:
        access_reviews.ask(review=review, user=supervisor)
    return opened
