//! Calendar periods: days, weeks, months or years, as the law counts them beside working days (民法典 200 to 203).

use std::borrow::Cow;

use jiff::{Span, civil::Date};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Period of the civil calendar, as ISO 8601 writes one of a single unit: `P30D`, `P2W`, `P1M`, `P1Y`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Period(pub String);

impl Period {
    /// A period of so many days.
    #[must_use]
    pub fn days(days: i32) -> Self {
        Self(format!("P{days}D"))
    }

    /// The day on which a period that starts on `date` ends. The start day does not count. A month that lacks the day ends
    /// it on its last day (民法典 202). `None` where the period cannot be read, or ends beyond the calendar.
    #[must_use]
    pub fn after(&self, date: Date) -> Option<Date> {
        let body = self.0.strip_prefix('P')?;
        let unit = body.chars().last()?;
        let number: i64 = body.strip_suffix(unit)?.parse().ok()?;
        let span = match unit {
            'D' => Span::new().try_days(number),
            'W' => Span::new().try_weeks(number),
            'M' => Span::new().try_months(number),
            'Y' => Span::new().try_years(number),
            _ => return None,
        };
        date.checked_add(span.ok()?).ok()
    }
}

impl JsonSchema for Period {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "maxLength": 16,
            "x-kubernetes-validations": [{
                "rule": "self.matches('^P([1-9][0-9]{0,3}D|[1-9][0-9]{0,2}[WM]|[1-9][0-9]?Y)$')",
                "message": "须为 ISO 8601 的日历期间，只用一种单位，如 P30D、P1M、P1Y / must be a calendar period of one unit as ISO 8601 writes it, such as P30D, P1M, P1Y",
            }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(period: &str, date: &str) -> Option<String> {
        Period(period.to_owned()).after(date.parse().unwrap()).map(|d| d.to_string())
    }

    #[test]
    fn a_period_ends_on_the_corresponding_day_or_the_last_of_the_month() {
        for (period, from, to) in [
            ("P30D", "2026-10-01", "2026-10-31"),
            ("P2W", "2026-12-25", "2027-01-08"),
            ("P1M", "2026-10-15", "2026-11-15"),
            ("P1M", "2027-01-31", "2027-02-28"),
            ("P1Y", "2028-02-29", "2029-02-28"),
            ("P12M", "2026-10-31", "2027-10-31"),
        ] {
            assert_eq!(after(period, from).as_deref(), Some(to), "{from} {period}");
        }
        assert_eq!(Period::days(7).after("2026-01-01".parse().unwrap()), "2026-01-08".parse().ok());
    }

    #[test]
    fn what_is_no_period_ends_never() {
        for wrong in ["", "P", "1Y", "P1", "PY", "P1H", "PT1H", "P1Y2M", "P99999999999999999999D", "P9年"] {
            assert_eq!(after(wrong, "2026-01-01"), None, "{wrong}");
        }
        assert_eq!(after("P99Y", "9950-01-01"), None);
    }
}
