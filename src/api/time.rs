//! Times as the API carries them: instants (`date-time`) and civil dates (`date`).

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// An instant with second precision, written in UTC as `2026-09-30T16:00:00Z`.
///
/// The fraction is cut when the value is made, so that a stored instant equals the one in memory
/// and a status that was written once compares equal for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Timestamp);

impl Instant {
    /// The instant, cut to whole seconds.
    pub fn new(at: Timestamp) -> Self {
        let whole = at.as_nanosecond().div_euclid(1_000_000_000);
        // Only the first fraction of a second that a Timestamp can hold has no whole second before it.
        Self(i64::try_from(whole).ok().and_then(|s| Timestamp::from_second(s).ok()).unwrap_or(at))
    }

    /// The instant as jiff knows it.
    pub fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl From<Timestamp> for Instant {
    fn from(at: Timestamp) -> Self {
        Self::new(at)
    }
}

impl From<Instant> for Timestamp {
    fn from(at: Instant) -> Self {
        at.0
    }
}

impl From<Time> for Instant {
    fn from(at: Time) -> Self {
        Self::new(at.0)
    }
}

impl From<&Time> for Instant {
    fn from(at: &Time) -> Self {
        Self::new(at.0)
    }
}

impl From<Instant> for Time {
    fn from(at: Instant) -> Self {
        Time(at.0)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Instant {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::new)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Instant {
    fn schema_name() -> Cow<'static, str> {
        "Instant".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// A day of the civil calendar, written `2026-09-30`. No zone: every day here is a day in China.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate(pub Date);

impl From<Date> for CivilDate {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

impl From<CivilDate> for Date {
    fn from(date: CivilDate) -> Self {
        date.0
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for CivilDate {
    type Err = jiff::Error;

    /// Reads `YYYY-MM-DD` and nothing else: jiff alone would also take `20260930` and drop the
    /// time of a date-time.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Date::strptime("%Y-%m-%d", text).and_then(|date| {
            if text.len() == 10 {
                Ok(Self(date))
            } else {
                Err(jiff::Error::from_args(format_args!("{text:?} is not written YYYY-MM-DD")))
            }
        })
    }
}

impl Serialize for CivilDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CivilDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for CivilDate {
    fn schema_name() -> Cow<'static, str> {
        "CivilDate".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_in_utc_with_whole_seconds() {
        let at: Instant = "2026-10-01T00:00:00.987654321+08:00".parse().unwrap();
        assert_eq!(serde_json::to_string(&at).unwrap(), r#""2026-09-30T16:00:00Z""#);
        assert_eq!(serde_json::from_str::<Instant>(r#""2026-09-30T16:00:00Z""#).unwrap(), at);
        assert_eq!(Instant::from(Time::from(at)), at);
    }

    #[test]
    fn the_fraction_is_cut_toward_the_past_also_before_1970() {
        let at: Instant = "1969-12-31T23:59:58.5Z".parse().unwrap();
        assert_eq!(at.to_string(), "1969-12-31T23:59:58Z");
        assert_eq!(Instant::new(Timestamp::MIN).timestamp(), Timestamp::MIN);
        assert!(Instant::new(Timestamp::MAX).timestamp() <= Timestamp::MAX);
    }

    #[test]
    fn a_date_is_a_real_date_in_one_form() {
        assert_eq!("2026-09-30".parse::<CivilDate>().unwrap().to_string(), "2026-09-30");
        for wrong in
            ["2026-02-30", "20260930", "2026-9-30", "2026-09-30T00:00:00Z", "26-09-30", "", " 2026-09-30"]
        {
            assert!(wrong.parse::<CivilDate>().is_err(), "{wrong}");
            assert!(serde_json::from_value::<CivilDate>(wrong.into()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_date_with_json_escapes_is_read() {
        assert!(serde_json::from_str::<CivilDate>("\"2026\\u002d09-30\"").is_ok());
    }
}
