#!/usr/bin/env python3
"""Compute the statements of exports again, without any code of the operator (Art. 26).

    oracle.py < exports.json > settlements.json
    oracle.py --time < exports.json

The input is a JSON array of exports as src/domain/settlement/export.rs describes them. The output is an array of
{"statement": ..., "closing": ...}. The editions must be such that the operator does not refuse them. Only the standard library
is used. What the operator computes by intervals is computed here day by day, or from one event of a day to the next.
"""

import calendar
import datetime
import decimal
import hashlib
import json
import re
import sys
import time
from fractions import Fraction

CHINA = datetime.timezone(datetime.timedelta(hours=8))
DAY = 86400
SUFFIXES = {
    "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1),
    "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60,
}  # fmt: skip
ALIASES = {
    "cpu": "requests.cpu", "memory": "requests.memory", "ephemeral-storage": "requests.ephemeral-storage",
    "count/configmaps": "configmaps", "count/persistentvolumeclaims": "persistentvolumeclaims",
    "count/replicationcontrollers": "replicationcontrollers", "count/resourcequotas": "resourcequotas",
    "count/secrets": "secrets", "count/services": "services",
}  # fmt: skip
FOREVER = 1 << 62


# Numbers and times


def digest(value):
    """RFC 8785 for texts, booleans and lists of them, which is all that there is."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def quantity(text):
    """A Kubernetes quantity as an exact number, or None."""
    match = re.fullmatch(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:([eE][+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i)?)", text.strip())
    if not match or not (match[2] or match[3]):
        return None
    number = Fraction((match[2] or "0") + "." + (match[3] or "0"))
    number *= Fraction(10) ** int(match[4][1:]) if match[4] else SUFFIXES[match[5] or ""]
    return -number if match[1] == "-" else number


def up(number, places):
    """Rounded up to some places; for numbers of zero or more."""
    scaled = number * 10**places
    return Fraction(-(-scaled.numerator // scaled.denominator), 10**places)


def plain(number):
    """A decimal number without exponent or idle zeros."""
    with decimal.localcontext() as context:
        context.prec = 60
        text = format(decimal.Decimal(number.numerator) / decimal.Decimal(number.denominator), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(hundredths):
    sign, rest = ("-", -hundredths) if hundredths < 0 else ("", hundredths)
    return f"{sign}{rest // 100}.{rest % 100:02}"


def hundredths(text):
    return int(text.replace(".", ""))


def half_up(exact):
    return (2 * 100 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def instant(second):
    return datetime.datetime.fromtimestamp(second, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def midnight(day):
    """00:00 in China of a day."""
    return int(datetime.datetime(day.year, day.month, day.day, tzinfo=CHINA).timestamp())


def days_of(month):
    year, number = map(int, month.split("-"))
    return [datetime.date(year, number, day + 1) for day in range(calendar.monthrange(year, number)[1])]


# Catalogue


class Edition:
    def __init__(self, record):
        self.name, self.currency = record["name"], record["currency"]
        self.first = datetime.date.fromisoformat(record["effectiveFrom"])
        self.items = sorted(record["items"], key=lambda item: item["code"])
        stored = {"name": self.name, "currency": self.currency, "effectiveFrom": record["effectiveFrom"]}
        stored["items"] = [{key: value for key, value in item.items() if value is not None} for item in self.items]
        self.digest = digest(stored)
        for item in self.items:
            item["unitExact"], item["priceExact"] = quantity(item["unit"]), Fraction(item["price"])


def editions_of(records):
    distinct = {(edition.name, edition.digest): edition for edition in map(Edition, records)}
    return sorted(distinct.values(), key=lambda edition: edition.first)


def edition_on(editions, day):
    begun = [edition for edition in editions if edition.first <= day]
    return begun[-1] if begun else None


def days_of_price(per, day):
    if per == "Month":
        return Fraction(calendar.monthrange(day.year, day.month)[1])
    if per == "Year":
        return Fraction(366 if calendar.isleap(day.year) else 365)
    return Fraction(1) if per == "Day" else Fraction(1, 24)


# What was in force


def amounts(quota):
    """Amounts by billed name, or the key that is no quantity."""
    read = {}
    for key, text in sorted({"services.loadbalancers": "0", "services.nodeports": "0", **quota}.items()):
        amount = quantity(text)
        if amount is None or amount < 0:
            return key
        name = canonical(key)
        amount = up(amount, 3)
        read[name] = min(amount, read.get(name, amount))
    return read


def canonical(key):
    return ALIASES.get(key, "requests." + key if key.startswith("hugepages-") else key)


def gap(reason, record, *names):
    application, uid = (record["name"], record["uid"]) if record else ("", "")
    return {"reason": reason, "application": application, "applicationUID": uid, "names": list(names)}


def gap_key(entry):
    return (REASONS.index(entry["reason"]), entry["application"], entry["applicationUID"], entry["names"])


REASONS = (
    "OpeningForeign ChainBroken EditionChanged MonthSettled RecordTwice RecordMissing StartUnknown EndUnknown ChangeMissing "
    "ChangeUndated GrantMissing NamespaceUnknown NamespaceTwice PredecessorUnknown QuotaUnreadable NoEdition "
    "ManualUnusable"
).split()
REMARKS = ["OpeningDiffers", "Unbounded", "WithinOneDay"]


class History:
    """Per namespace UID: [since, until, application, entry, amounts], by time."""

    def __init__(self, applications, opening, charge_until, start, end):
        self.start, self.end, self.charge_until = start, end, charge_until
        self.gaps, self.remarks, self.rows = [], [], {}
        self.opened = {}
        for row in opening["namespaces"] if opening else []:
            self.opened.setdefault(row["applicationUID"], []).append((row, amounts(row["quota"])))
        self.records = {}
        for record in applications:
            self.records.setdefault(record["uid"], record)
        for record in self.records.values():
            self.follow(record)
        for uid, rows in self.opened.items():
            if uid not in self.records:
                self.without_record(rows)
        for uid in sorted(self.rows):
            self.one_at_a_time(uid)
        if opening:
            self.compare()

    def end_of_charge(self, record):
        leaving = record.get("exit")
        if not leaving:
            return FOREVER
        ended = leaving.get("endedAt")
        if self.charge_until == "EndOfUse":
            end = leaving.get("quiescedAt") or leaving.get("reclaimingSince")
        else:
            known = [at for at in (ended, leaving.get("reclaimDueAt")) if at]
            end = min(known, key=seconds) if known else None
        end = end or ended
        return seconds(end) if end else FOREVER

    def follow(self, record):
        end = self.end_of_charge(record)
        unreadable = []

        def read(name, quotas):
            state = {}
            for entry, quota in sorted(quotas.items()):
                state[entry] = amounts(quota)
                if isinstance(state[entry], str):
                    unreadable.append(gap("QuotaUnreadable", record, name, entry, state[entry]))
                    return None
            return state

        granted = read("ResourceGrant", record["granted"]) if record.get("granted") is not None else None
        events = []
        if record.get("provisionedAt"):
            approved = read("CloudApplication", record["approved"]) or {}
            events.append((seconds(record["provisionedAt"]), "CloudApplication", None, approved))
        dated = {change["uid"]: change for change in record["changes"] if change.get("appliedAt")}
        for change in sorted(dated.values(), key=lambda change: (seconds(change["appliedAt"]), change["uid"])):
            before, after = (read(change["name"], change[side]) or {} for side in ("before", "after"))
            events.append((seconds(change["appliedAt"]), change["name"], before, after))
        opened = self.opened.get(record["uid"])
        starts = bool(events) and events[0][2] is None
        if opened and (not starts or any(b[0] <= self.start for b in self.breaks(record, events, granted, end))):
            events = [event for event in events if event[0] > self.start]
            events.insert(0, (self.start, "opening", None, {row["entry"]: held for row, held in opened}))
        found = [b[2] for b in self.breaks(record, events, granted, end) if b[0] < self.end and b[1] > self.start]
        if found:
            undated = [change for change in record["changes"] if not change.get("appliedAt")]
            found += [gap("ChangeUndated", record, change["name"]) for change in undated]
        if end > self.start:
            leaving = record.get("exit") or {}
            use_ended = leaving.get("quiescedAt") or leaving.get("reclaimingSince")
            if self.charge_until == "EndOfUse" and leaving.get("endedAt") and not use_ended:
                found.append(gap("EndUnknown", record, leaving["name"]))
            found += unreadable
        self.gaps += found
        self.intervals(record, events, end)

    def breaks(self, record, events, granted, end):
        """(since, until, gap) of the joints that do not fit."""
        found = []
        if not (events and events[0][2] is None) and (record["changes"] or record.get("exit")):
            found.append((-FOREVER, events[0][0] if events else end, gap("StartUnknown", record)))
        for last, following in zip(events, events[1:]):
            if following[2] != last[3]:
                found.append((last[0], following[0], gap("ChangeMissing", record, last[1], following[1])))
        if events and granted is None:
            found.append((events[-1][0], end, gap("GrantMissing", record)))
        elif events and granted != events[-1][3]:
            found.append((events[-1][0], end, gap("ChangeMissing", record, events[-1][1], "ResourceGrant")))
        return found

    def intervals(self, record, events, end):
        for number, (at, _, _, state) in enumerate(events):
            until = min(end, events[number + 1][0]) if number + 1 < len(events) else end
            for entry, held in state.items():
                own = [n for n in record["namespaces"] if n["entry"] == entry and n["uid"]]
                if own:
                    row = [at, until, record, entry, held, own[0].get("tookBack", False)]
                    self.rows.setdefault(own[0]["uid"], []).append(row)
                elif at < self.end and until > self.start:
                    self.gaps.append(gap("NamespaceUnknown", record, entry))

    def without_record(self, rows):
        for row, held in rows:
            lost = {"name": row["application"], "uid": row["applicationUID"], "outsideBudget": row["outsideBudget"]}
            took = [
                seconds(record["provisionedAt"])
                for record in self.records.values()
                if record.get("provisionedAt")
                and any(n.get("tookBack") and n["uid"] == row["namespaceUID"] for n in record["namespaces"])
            ]
            if took and took[0] <= self.start:
                continue
            if not took:
                self.gaps.append(gap("RecordMissing", lost))
            interval = [self.start, FOREVER, lost, row["entry"], held, False]
            self.rows.setdefault(row["namespaceUID"], []).append(interval)

    def one_at_a_time(self, uid):
        rows = sorted(self.rows[uid], key=lambda row: (row[0], row[2]["name"], row[2]["uid"]))
        for one, other in zip(rows, rows[1:]):
            if one[1] <= other[0]:
                continue
            within = other[0] < self.end and one[1] > self.start
            if within and one[2]["uid"] != other[2]["uid"] and not other[5]:
                self.gaps.append(gap("NamespaceTwice", other[2], uid, one[2]["name"]))
            one[1] = other[0]
        self.rows[uid] = rows = [row for row in rows if row[0] < row[1]]
        if rows and rows[0][5] and rows[0][0] > self.start:
            self.gaps.append(gap("PredecessorUnknown", rows[0][2], uid))

    def at(self, second):
        """{namespace UID: row} in force at an instant."""
        found = {}
        for uid in sorted(self.rows):
            for row in self.rows[uid]:
                if row[0] <= second < row[1]:
                    found[uid] = row
        return found

    def compare(self):
        opened = {row["namespaceUID"]: (row, held) for rows in self.opened.values() for row, held in rows}
        for uid, row in self.at(self.start).items():
            before, held = opened.pop(uid, (None, None))
            if before is None or before["applicationUID"] != row[2]["uid"] or held != row[4]:
                self.remark("OpeningDiffers", row[2]["name"], uid)
        for uid, (row, _) in opened.items():
            self.remark("OpeningDiffers", row["application"], uid)

    def remark(self, reason, application, uid, item=""):
        self.remarks.append({"reason": reason, "application": application, "namespaceUID": uid, "item": item})


# The bill


def moments(history, day, proration):
    """[(weight in days, {namespace UID: row})] of a day: its end, or each time between two events."""
    start, end = midnight(day), midnight(day) + DAY
    if proration == "Daily":
        return [(Fraction(1), history.at(end))]
    cuts = {start, end}
    for rows in history.rows.values():
        cuts.update(second for row in rows for second in row[:2] if start < second < end)
    cuts = sorted(cuts)
    return [(Fraction(b - a, DAY), history.at(a)) for a, b in zip(cuts, cuts[1:])]


class Bill:
    def __init__(self, export, editions, month, proration, charge_until, opening):
        days = days_of(month)
        self.start, self.end = midnight(days[0]), midnight(days[-1]) + DAY
        history = History(export["applications"], opening, charge_until, self.start, self.end)
        self.history, self.editions, self.applications = history, [], {}
        self.unit_days, self.in_use, self.no_edition = {}, {}, []
        manual = {json.dumps(record, sort_keys=True): record for record in export.get("manual", [])}
        for day in days:
            edition = edition_on(editions, day)
            if edition and edition not in self.editions:
                self.editions.append(edition)
            used = self.quotas(moments(history, day, proration), edition, day)
            used |= self.by_hand(manual.values(), day, edition)
            if not edition:
                self.no_edition.append((day, used))
        if proration == "Daily":
            self.within_one_day()
        self.note_days_without_edition()

    def add(self, application, edition, item, unit_days, day):
        key = (application["name"], application["uid"], edition.first, item["code"])
        self.applications[application["uid"]] = application
        known = self.unit_days.setdefault(key, [application, edition, item, days_of_price(item["per"], day), Fraction(0)])
        known[4] += unit_days

    def quotas(self, parts, edition, day):
        """True if anything was in force."""
        used = False
        for weight, rows in parts:
            used = used or bool(rows)
            seen = set()
            for uid, (_, _, application, _, held, _) in rows.items():
                self.in_use[uid] = True
                for item in edition.items if edition else []:
                    if item["basis"] == "Granted":
                        name = canonical(item["resource"])
                        if name not in held:
                            self.history.remark("Unbounded", application["name"], uid, item["code"])
                        units = held.get(name, Fraction(0)) / item["unitExact"]
                    elif item["basis"] == "PerNamespace":
                        units = Fraction(1)
                    elif item["basis"] == "PerApplication" and application["uid"] not in seen:
                        units = Fraction(1)
                    else:
                        continue
                    self.add(application, edition, item, units * weight, day)
                seen.add(application["uid"])
        return used

    def by_hand(self, records, day, edition):
        """True if a quantity is recorded for the day."""
        used = False
        for record in records:
            application = self.history.records.get(record["applicationUID"])
            if not application:
                lost = {"name": "", "uid": record["applicationUID"]}
                self.history.gaps.append(gap("ManualUnusable", lost, record["item"], record["from"]))
                continue
            if not record["from"] <= day.isoformat() <= record["to"]:
                continue
            used = True
            units = quantity(record["units"])
            items = [i for i in edition.items if i["code"] == record["item"]] if edition else []
            if edition and (not items or items[0]["basis"] != "Manual" or units is None or units < 0):
                self.history.gaps.append(gap("ManualUnusable", application, record["item"], record["from"]))
            elif edition:
                self.add(application, edition, items[0], up(units, 9), day)
        return used

    def within_one_day(self):
        for uid, rows in self.history.rows.items():
            if rows and rows[0][0] > self.start and rows[-1][1] <= self.end and uid not in self.in_use:
                self.history.remark("WithinOneDay", rows[-1][2]["name"], uid)

    def note_days_without_edition(self):
        if any(used for _, used in self.no_edition):
            first, last = self.no_edition[0][0], self.no_edition[-1][0]
            self.history.gaps.append(gap("NoEdition", None, first.isoformat(), last.isoformat()))

    def lines(self):
        lines = []
        for key in sorted(self.unit_days):
            application, edition, item, of_days, unit_days = self.unit_days[key]
            if unit_days:
                lines.append({
                    "application": application["name"],
                    "applicationUID": application["uid"],
                    "outsideBudget": application.get("outsideBudget", False),
                    "item": item["code"],
                    "class": item.get("class", "Infrastructure"),
                    "edition": edition.name,
                    "unitDays": str(unit_days),
                    "ofDays": str(of_days),
                    "per": item["per"],
                    "price": item["price"],
                    "amount": money(half_up(unit_days * item["priceExact"] / of_days)),
                })
        return lines

    def closing(self, export):
        rows = [
            {
                "namespaceUID": uid,
                "entry": entry,
                "application": application["name"],
                "applicationUID": application["uid"],
                "outsideBudget": application.get("outsideBudget", False),
                "quota": {key: plain(amount) for key, amount in held.items()},
            }
            for uid, (_, _, application, entry, held, _) in self.history.at(self.end).items()
        ]
        return {
            "region": export["region"],
            "department": export["department"],
            "at": instant(self.end),
            "namespaces": rows,
        }


def distinct(entries, key):
    return sorted({json.dumps(entry, sort_keys=True): entry for entry in entries}.values(), key=key)


def corrections(export, editions, earlier):
    found = []
    for month in sorted(earlier):
        if month >= export["month"]:
            continue
        then = earlier[month]
        bill = Bill(export, editions, month, then["proration"], then["chargeUntil"], then.get("opening"))
        unknown = {entry["applicationUID"] for entry in bill.history.gaps}
        if "" in unknown:
            continue
        corrected = [c for other in earlier.values() for c in other.get("corrections", []) if c["month"] == month]
        sums = {}
        for side, lines in enumerate((then["lines"] + corrected, bill.lines())):
            for line in lines:
                key = (line["applicationUID"], line["edition"], line["item"])
                known = sums.setdefault(key, [0, 0, None])
                known[side] += hundredths(line["amount"])
                known[2] = line
        for key in sorted(sums):
            settled, recomputed, line = sums[key]
            if key[0] in bill.history.records and key[0] not in unknown and settled != recomputed:
                found.append({
                    "month": month,
                    "application": line["application"],
                    "applicationUID": key[0],
                    "outsideBudget": line["outsideBudget"],
                    "item": key[2],
                    "edition": key[1],
                    "settled": money(settled),
                    "recomputed": money(recomputed),
                    "amount": money(recomputed - settled),
                })
    return found


def settle(export):
    editions = editions_of(export["editions"])
    month = export["month"]
    earlier = {then["month"]: then for then in export.get("earlier", [])}
    rules = export.get("proration", "Daily"), export.get("chargeUntil", "EndOfUse")
    start = midnight(days_of(month)[0])
    opening, gaps = export.get("opening"), []
    given = opening
    if opening and (
        (opening["region"], opening["department"]) != (export["region"], export["department"])
        or seconds(opening["at"]) != start
    ):
        gaps.append(gap("OpeningForeign", None))
        opening = None
    bill = Bill(export, editions, month, *rules, opening)
    before = (days_of(month)[0] - datetime.timedelta(days=1)).strftime("%Y-%m")
    if before in earlier and (not given or digest(given) != earlier[before]["closing"]):
        gaps.append(gap("ChainBroken", None, before))
    kept = {(edition.name, edition.digest) for edition in editions}
    for then in sorted(earlier):
        changed = [used["name"] for used in earlier[then]["editions"] if (used["name"], used["digest"]) not in kept]
        gaps += [gap("EditionChanged", None, name, then) for name in changed]
    gaps += [gap("MonthSettled", None, then) for then in sorted(earlier) if then >= month]
    gaps += distinct(bill.history.gaps, gap_key)
    lines, corrected, closing = bill.lines(), corrections(export, editions, earlier), bill.closing(export)
    sums = [
        sum(hundredths(line["amount"]) for line in lines + corrected if line["outsideBudget"] == outside)
        for outside in (False, True)
    ]
    statement = {
        "region": export["region"],
        "department": export["department"],
        "month": month,
        "proration": rules[0],
        "chargeUntil": rules[1],
        "currency": editions[0].currency if editions else "",
        "editions": [{"name": edition.name, "digest": edition.digest} for edition in bill.editions],
        "lines": lines,
        "corrections": corrected,
        "inBudget": money(sums[0]),
        "outsideBudget": money(sums[1]),
        "total": money(sum(sums)),
        "closing": digest(closing),
        "gaps": gaps,
        "remarks": distinct(
            bill.history.remarks,
            lambda r: (REMARKS.index(r["reason"]), r["application"], r["namespaceUID"], r["item"]),
        ),
    }
    if opening:
        statement["opening"] = digest(opening)
    if not gaps:
        statement["digest"] = digest(statement)
    return {"statement": statement, "closing": closing}


def main():
    exports = json.load(sys.stdin)
    began = time.process_time()
    settlements = [settle(export) for export in exports]
    if "--time" in sys.argv[1:]:
        print(f"{len(exports)} exports in {time.process_time() - began:.3f} s of processor time")
    else:
        json.dump(settlements, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
