//! Turn of the year: days of December that the notice for the next year has touched, and so are not known before it
//! (decision 0076).

use jiff::civil::Date;

/// Days of December that a notice for the year after made days off or workdays, by the year that the notice is for. A
/// weekend day that the notice counts among the days off is listed too. The other notices from 2007 to 2026 begin on
/// 1 January.
///
/// | notice for | year before |
/// |---|---|
/// | 2007 | 30 and 31 December 2006, a weekend, worked |
/// | 2008 | 29 December 2007, a Saturday, worked; 30 and 31 off |
/// | 2012 | 31 December 2011, a Saturday, worked |
/// | 2019 | 29 December 2018, a Saturday, worked; 30 and 31 off |
/// | 2023 | 31 December 2022, a Saturday, off |
const TOUCHED: [(i16, &[i8]); 5] =
    [(2007, &[30, 31]), (2008, &[29, 30, 31]), (2012, &[31]), (2019, &[29, 30, 31]), (2023, &[31])];

/// First day of December that any of those notices touched.
const FIRST: i8 = first();

const fn first() -> i8 {
    let (mut first, mut notice) = (31, 0);
    while notice < TOUCHED.len() {
        let days = TOUCHED[notice].1;
        let mut day = 0;
        while day < days.len() {
            if days[day] < first {
                first = days[day];
            }
            day += 1;
        }
        notice += 1;
    }
    first
}

/// Returns true if the notice for the year after may still change this day.
pub(super) fn is_open_until_next_year(date: Date) -> bool {
    date.month() == 12 && date.day() >= FIRST
}

#[cfg(test)]
mod tests {
    use super::super::tests::cn_spec;
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_span_is_that_of_the_notices_for_2007_to_2026() {
        assert_eq!(FIRST, 29);
        assert!(!is_open_until_next_year(date(2026, 12, 28)) && is_open_until_next_year(date(2026, 12, 29)));
        assert!(is_open_until_next_year(date(2026, 12, 31)) && !is_open_until_next_year(date(2027, 1, 1)));
    }

    /// Each day of December that the shipped calendar makes a day off or a workday is in the table.
    #[test]
    fn the_shipped_calendar_agrees() {
        for year in cn_spec().years {
            let off = year.holidays.iter().flat_map(|h| [h.from.0, h.to.unwrap_or(h.from).0]);
            let touched = off.chain(year.make_up_workdays.iter().map(|d| d.0));
            for day in touched.filter(|d| d.month() == 12) {
                let listed = TOUCHED.iter().find(|(of, _)| *of == day.year() + 1);
                assert!(listed.is_some_and(|(_, days)| days.contains(&day.day())), "{day}");
            }
        }
    }
}
