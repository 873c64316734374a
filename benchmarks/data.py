"""Administrative penalties as a market regulator would send them: 30 columns, fictitious, the same every time."""

import csv
import datetime
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.phrases import (
    AREAS,
    BASES,
    BRANDS,
    CONTENTS,
    FACTS,
    FINDINGS,
    GIVEN_NAMES,
    KINDS,
    REMARKS,
    STREETS,
    SURNAMES,
    TRADES,
    VIOLATIONS,
)
from creditplatform.core.identity import make_credit_code, make_resident_id

SEED = 20260401
PENALTIES_PER_SUBJECT = 3
SHARES = {"法人及非法人组织": 65, "个体工商户": 15, "自然人": 20}
AGENCY_NAME, AGENCY_CODE = "惠州市示例市场监督管理局", make_credit_code("11441300", "MB000001")
YEARS_BACK = 3
HEADER = (
    "CF_XDR_MC", "CF_XDR_LB", "CF_XDR_SHXYM", "CF_XDR_GSZC", "CF_XDR_ZZJG", "CF_XDR_SWDJ", "CF_XDR_SYDW",
    "CF_XDR_SHZZ", "CF_FRDB", "CF_FR_ZJLX", "CF_FR_ZJHM", "CF_XDR_ZJLX", "CF_XDR_ZJHM", "CF_WSH", "CF_WFXW",
    "CF_SY", "CF_YJ", "CF_CFLB", "CF_NR", "CF_NR_FK", "CF_NR_WFFF", "CF_NR_ZKDX", "CF_JDRQ", "CF_YXQ", "CF_GSJZQ",
    "CF_CFJG", "CF_CFJGDM", "CF_SJLY", "CF_SJLYDM", "BZ",
)  # fmt: skip


@dataclass(frozen=True)
class Party:
    """A fictitious subject: the first 13 cells of each of its rows, and where it does business."""

    cells: tuple[str, ...]
    place: str


def write_rows(path: Path, count: int, *, today: datetime.date, seed: int = SEED, first_party: int = 1) -> None:
    """Write a UTF-8 CSV file of `count` penalties decided in the three years before `today`.

    Files with parties of other numbers are about other subjects; the same number may be another name in another file.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(penalties(count, today=today, seed=seed, first_party=first_party))


def penalties(count: int, *, today: datetime.date, seed: int = SEED, first_party: int = 1) -> Iterator[tuple[str, ...]]:
    """Rows in the order of their decisions; each subject has three of them on average."""
    chance = random.Random(seed)  # noqa: S311
    parties = _parties(first_party, max(1, count // PENALTIES_PER_SUBJECT), chance)
    days = YEARS_BACK * 365
    for number in range(1, count + 1):
        decided_on = today - datetime.timedelta(days=days - number * days // (count + 1))
        yield _penalty(chance.choice(parties), number, decided_on, chance)


def _parties(first: int, count: int, chance: random.Random) -> list[Party]:
    kinds = chance.choices(list(SHARES), weights=list(SHARES.values()), k=count)
    return [_party(kind, number, chance) for number, kind in enumerate(kinds, first)]


def _party(kind: str, number: int, chance: random.Random) -> Party:
    area, division = chance.choice(AREAS)
    place = f"{area}{chance.choice(STREETS)}{chance.randint(1, 480)}号"
    person = chance.choice(SURNAMES) + chance.choice(GIVEN_NAMES)
    document = _resident_number(division, number, chance)
    if kind == "自然人":
        return Party((person, kind, *("",) * 9, "身份证", document), place)
    trade = chance.choice(TRADES)
    name = f"{area}{chance.choice(BRANDS)}{chance.choice(BRANDS)}{trade}"
    name += "店" if kind == "个体工商户" else "有限公司"
    prefix = ("92" if kind == "个体工商户" else "91") + division
    code = make_credit_code(prefix, f"MA{number:06d}")
    return Party((name, kind, code, *("",) * 5, person, "身份证", document, "", ""), place)


def _resident_number(division: str, number: int, chance: random.Random) -> str:
    """A valid number; day of birth and sequence follow the counter, so that no two persons share one."""
    birth = datetime.date(1955, 1, 1) + datetime.timedelta(days=number % 16_000)
    return make_resident_id(division, birth, number // 16_000 * 2 % 1000 + chance.randint(0, 1))


def _penalty(party: Party, number: int, decided_on: datetime.date, chance: random.Random) -> tuple[str, ...]:
    subject = chance.randrange(len(VIOLATIONS))
    effects = chance.choices(list(KINDS), weights=list(KINDS.values()))[0]
    fine = f"{chance.randint(1, 400) * 500 / 10000:g}" if "罚款" in effects else ""
    gains = f"{chance.randint(1, 90000) / 10000:g}" if "没收" in effects else ""
    licence = f"食品经营许可证 JY{chance.randint(10**12, 10**13)}" if "许可证" in effects else ""
    shown_until = decided_on.replace(year=decided_on.year + 3, day=min(decided_on.day, 28))
    return (
        *party.cells,
        f"惠市示例监罚〔{decided_on.year}〕{number:07d}号",
        VIOLATIONS[subject],
        _facts(party, decided_on, subject, chance),
        BASES[subject],
        effects,
        _content(effects, fine, gains, chance),
        fine, gains, licence,
        decided_on.isoformat(), "2099-12-31", shown_until.isoformat(),
        AGENCY_NAME, AGENCY_CODE, AGENCY_NAME, AGENCY_CODE,
        chance.choice(REMARKS) if chance.random() < 0.1 else "",
    )  # fmt: skip


def _facts(party: Party, decided_on: datetime.date, subject: int, chance: random.Random) -> str:
    """What happened, in 90 to 330 characters."""
    found_on = decided_on - datetime.timedelta(days=chance.randint(20, 90))
    opening = FACTS[chance.randrange(len(FACTS))].format(
        day=f"{found_on.year}年{found_on.month}月{found_on.day}日", place=party.place, name=party.cells[0]
    )
    findings = chance.sample(FINDINGS, chance.randint(1, 4))
    amounts = (f"{chance.randint(100, 99999) / 10:.1f}", chance.randint(2, 900), chance.randint(10**7, 10**8))
    text = "".join(finding.format(*amounts) for finding in findings)
    return f"{opening}{text}上述行为涉嫌{VIOLATIONS[subject]}。"


def _content(effects: str, fine: str, gains: str, chance: random.Random) -> str:
    """What was decided, in 40 to 120 characters."""
    parts: Sequence[str] = [CONTENTS[word] for word in effects.split(";")]
    text = "".join(parts).format(fine=fine, gains=gains, days=chance.choice((7, 15, 30)))
    return f"责令当事人立即改正违法行为，并决定处罚如下：{text}"
