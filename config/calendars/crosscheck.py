#!/usr/bin/env python3
"""Check cn.yaml against two independently maintained packages.

    python3 -m venv .venv && .venv/bin/pip install -r config/calendars/requirements.txt
    .venv/bin/python config/calendars/crosscheck.py

`chinesecalendar` transcribes each State Council notice day by day. `holidays`
holds the statutory festivals by rule and the swapped days by hand, from the
gazette. For every day of every year in cn.yaml all three must agree whether it
is worked; the names and ranges are compared with the first, which alone has
them. A difference that is understood is written down in UNDERSTOOD with its
reason; any other one, and any year that is missing, fails the check.
"""

import datetime
import pathlib
import sys

import chinese_calendar
import holidays
import yaml
from chinese_calendar.constants import holidays as transcribed_holidays
from chinese_calendar.constants import workdays as transcribed_workdays

YEARS = range(2020, 2027)
DAY = datetime.timedelta(days=1)
NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
}
UNDERSTOOD = {
    # 国办发明电〔2023〕7号 gives 1 January 2024 off, 与周末连休: the weekend before
    # it is a plain weekend. chinesecalendar names it 元旦. cn.yaml follows the notice.
    datetime.date(2023, 12, 30): "a plain weekend in the notice",
    datetime.date(2023, 12, 31): "a plain weekend in the notice",
}


def days(first, last):
    """Every date from first through last."""
    while first <= last:
        yield first
        first += DAY


def read(path):
    """The named holidays, the make-up workdays and the years of a WorkCalendar file."""
    off, worked, years = {}, set(), []
    for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["spec"]["years"]:
        years.append(entry["year"])
        for holiday in entry["holidays"]:
            first = datetime.date.fromisoformat(holiday["from"])
            last = datetime.date.fromisoformat(holiday.get("to", holiday["from"]))
            for date in days(first, last):
                off[date] = holiday["name"]
        worked.update(datetime.date.fromisoformat(d) for d in entry["makeUpWorkdays"])
    return off, worked, years


def main():
    path = pathlib.Path(__file__).with_name("cn.yaml")
    off, worked, years = read(path)
    by_rule = holidays.country_holidays("CN", years=YEARS)
    wrong = []
    if years != list(YEARS):
        wrong.append(f"years are {years}, expected {list(YEARS)}")

    for year in YEARS:
        for date in days(datetime.date(year, 1, 1), datetime.date(year, 12, 31)):
            ours = date in worked or (date.weekday() < 5 and date not in off)
            for source, theirs in (
                ("chinesecalendar", chinese_calendar.is_workday(date)),
                ("holidays", by_rule.is_working_day(date)),
            ):
                if ours != theirs:
                    wrong.append(f"{date}: cn.yaml worked={ours}, {source} worked={theirs}")
            if date in UNDERSTOOD:
                continue
            theirs = transcribed_holidays.get(date)
            if off.get(date) != (NAMES[theirs] if theirs else None):
                wrong.append(f"{date}: cn.yaml {off.get(date)}, chinesecalendar {theirs}")
            if (date in worked) != (date in transcribed_workdays):
                wrong.append(f"{date}: make-up workday in one of cn.yaml and chinesecalendar only")

    for line in wrong:
        print(line, file=sys.stderr)
    checked = sum(1 for year in YEARS for _ in days(datetime.date(year, 1, 1), datetime.date(year, 12, 31)))
    print(f"{checked} days of {len(YEARS)} years, {len(off)} holidays, {len(worked)} make-up workdays: "
          f"{len(wrong)} differences, {len(UNDERSTOOD)} understood")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
