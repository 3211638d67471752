//! Months of a Region that settles: which statements are due, and up to which month a department is settled (Art. 6, 26).
//!
//! A statement is made once, under the name of its month, at the opening of desks on the first working day after the month.
//! The mark of a filing namespace says up to which month everything is settled; what is before it is not made again, though it
//! was archived. While nothing is due, nothing is written.

use std::collections::BTreeMap;

use govcloud_api::region::Settlement;
use govcloud_api::statement::{Statement, StatementSpec};
use govcloud_api::{keys, resources};
use jiff::Timestamp;
use serde_json::json;

use crate::calendar::{Calendar, china_date, desk_opens};
use crate::filing::FilingNamespace;
use crate::plan::{Precondition, Target, Write};
use crate::region_context::RegionView;
use crate::settlement::period::Month;

/// Months of one department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepartmentMonths {
    /// Its filing namespace.
    pub namespace: FilingNamespace,
    /// Its statements: true for one that is settled or voided.
    pub statements: BTreeMap<Month, bool>,
    /// First and last month in which each application had something in force. Read where a due month has no statement.
    pub in_force: Vec<(Month, Option<Month>)>,
}

/// An edition of the service catalogue that a statement was computed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BilledEdition {
    /// Name of the ServiceCatalog.
    pub name: String,
    /// UID.
    pub uid: String,
    /// The resourceVersion that was read.
    pub resource_version: String,
    /// True if it bears the mark.
    pub marked: bool,
}

impl BilledEdition {
    /// The write that marks it: policy lets nobody change or delete it from then on.
    #[must_use]
    pub fn mark(&self) -> Option<Write> {
        let precondition =
            Precondition { uid: self.uid.clone(), resource_version: self.resource_version.clone() };
        let patch = json!({ "metadata": { "labels": { keys::BILLED: "true" } } });
        let target = Target::named(resources::SERVICE_CATALOG, &self.name);
        (!self.marked).then_some(Write::Patch(target, precondition, patch))
    }
}

/// Months that are due at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The first month that the Region settles.
    pub first: Month,
    /// The last month whose statement is due; before `first` while none is.
    pub last: Month,
    /// Instant at which the next month is due.
    pub next: Timestamp,
}

impl Due {
    /// Months that are due by the settings and the calendar of a Region; `None` where it does not settle, or has no usable
    /// calendar or first month.
    #[must_use]
    pub fn of(view: &RegionView, now: Timestamp) -> Option<Self> {
        let settings: &Settlement = view.spec().settlement.as_ref()?;
        let calendar = view.calendar.as_deref().ok()?;
        let first = settings.first_month.parse().ok()?;
        let (mut last, mut next) = (Month::of(china_date(now)).before(), Month::of(china_date(now)));
        if now < made_at(last, calendar) {
            (last, next) = (last.before(), last);
        }
        Some(Self { first, last, next: made_at(next, calendar) })
    }
}

/// Opening of desks on the first working day after a month.
fn made_at(month: Month, calendar: &Calendar) -> Timestamp {
    desk_opens(calendar.add(month.days().to, 1))
}

/// Instant at which a Region is decided on for its next month; `None` where it does not settle.
#[must_use]
pub fn next(view: &RegionView, now: Timestamp) -> Option<Timestamp> {
    Due::of(view, now).map(|due| due.next)
}

/// The statements that are to be made, and the marks of departments that are settled further.
#[must_use]
pub fn writes(view: &RegionView, months: &[DepartmentMonths], now: Timestamp) -> Vec<Write> {
    let Some(due) = Due::of(view, now) else { return Vec::new() };
    months.iter().flat_map(|department| department.writes(view.code(), due)).collect()
}

impl DepartmentMonths {
    /// Returns true if a due month has no statement: then it matters in which months something was in force.
    #[must_use]
    pub fn lacks_statement(&self, due: Due) -> bool {
        months(self.base(due).next(), due.last).any(|month| !self.statements.contains_key(&month))
    }

    /// The month that everything is known to be settled up to.
    fn base(&self, due: Due) -> Month {
        let marked = self.namespace.settled_through.as_ref().and_then(|month| month.parse().ok());
        marked.unwrap_or(due.first.before()).max(due.first.before())
    }

    /// The last month up to which every month is settled, or had nothing in force.
    fn settled_through(&self, due: Due) -> Month {
        let settled = |month: &Month| match self.statements.get(month) {
            Some(over) => *over,
            None => !self.has_in_force(*month),
        };
        let base = self.base(due);
        months(base.next(), due.last).take_while(settled).last().unwrap_or(base)
    }

    fn has_in_force(&self, month: Month) -> bool {
        self.in_force.iter().any(|(from, to)| *from <= month && to.is_none_or(|to| month <= to))
    }

    fn writes(&self, region: &str, due: Due) -> Vec<Write> {
        if self.namespace.deleting {
            return Vec::new();
        }
        let through = self.settled_through(due);
        let lacking = months(through.next(), due.last)
            .filter(|month| self.has_in_force(*month) && !self.statements.contains_key(month));
        let made = lacking.map(|month| make(region, &self.namespace.name, month));
        made.chain(self.namespace.settle_through(&through.to_string())).collect()
    }
}

/// The write that makes a statement: it fails where there is one of this name.
fn make(region: &str, namespace: &str, month: Month) -> Write {
    let name = month.to_string();
    let spec =
        StatementSpec { region: region.to_owned(), month: name.clone(), digest: None, manual: Vec::new() };
    let mut statement = Statement::new(&name, spec);
    statement.metadata.namespace = Some(namespace.to_owned());
    Write::Create(Target::namespaced(resources::STATEMENT, namespace, &name), json!(statement))
}

/// Months in a row, both ends included.
fn months(from: Month, to: Month) -> impl Iterator<Item = Month> {
    std::iter::successors(Some(from), |month| Some(month.next())).take_while(move |month| *month <= to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    fn due(last: &str) -> Due {
        Due { first: month("2026-08"), last: month(last), next: Timestamp::UNIX_EPOCH }
    }

    fn department(through: Option<&str>, statements: &[(&str, bool)]) -> DepartmentMonths {
        let namespace = FilingNamespace {
            name: "dept".to_owned(),
            uid: "u".to_owned(),
            resource_version: "7".to_owned(),
            marked: true,
            deleting: false,
            settled_through: through.map(str::to_owned),
        };
        let statements = statements.iter().map(|(name, over)| (month(name), *over)).collect();
        DepartmentMonths { namespace, statements, in_force: vec![(month("2026-08"), None)] }
    }

    /// Names of the statements that are made, and the mark that is written.
    fn written(department: &DepartmentMonths, last: &str) -> (Vec<String>, Option<String>) {
        let (mut made, mut mark) = (Vec::new(), None);
        for write in department.writes("410000", due(last)) {
            match write {
                Write::Create(target, body) => {
                    assert_eq!(body["spec"], json!({ "region": "410000", "month": target.name }));
                    made.push(target.name);
                }
                Write::Patch(_, _, patch) => {
                    mark = patch["metadata"]["labels"][keys::SETTLED_THROUGH].as_str().map(str::to_owned);
                }
                other => panic!("{other:?}"),
            }
        }
        (made, mark)
    }

    #[test]
    fn art_26_a_due_month_is_made_once() {
        assert_eq!(written(&department(None, &[]), "2026-07"), (vec![], Some("2026-07".to_owned())));
        let fresh = department(Some("2026-07"), &[]);
        assert_eq!(written(&fresh, "2026-09"), (vec!["2026-08".to_owned(), "2026-09".to_owned()], None));
        let made = department(Some("2026-07"), &[("2026-08", false), ("2026-09", false)]);
        assert_eq!(written(&made, "2026-09"), (vec![], None));
        assert!(fresh.lacks_statement(due("2026-09")) && !made.lacks_statement(due("2026-09")));
    }

    #[test]
    fn the_mark_follows_what_is_settled_without_a_gap() {
        let later = department(Some("2026-07"), &[("2026-08", false), ("2026-09", true)]);
        assert_eq!(written(&later, "2026-09"), (vec![], None), "August is open");
        let both = department(Some("2026-07"), &[("2026-08", true), ("2026-09", true)]);
        assert_eq!(written(&both, "2026-09"), (vec![], Some("2026-09".to_owned())));
        // What is settled and archived is not made again.
        assert_eq!(written(&department(Some("2026-09"), &[]), "2026-09"), (vec![], None));
    }

    #[test]
    fn a_month_with_nothing_in_force_has_no_statement() {
        let left = DepartmentMonths {
            in_force: vec![(month("2026-08"), Some(month("2026-08")))],
            ..department(Some("2026-08"), &[("2026-08", true)])
        };
        assert_eq!(written(&left, "2026-10"), (vec![], Some("2026-10".to_owned())));
    }

    #[test]
    fn a_namespace_that_is_being_deleted_is_left_alone() {
        let mut leaving = department(None, &[]);
        leaving.namespace.deleting = true;
        assert_eq!(written(&leaving, "2026-09"), (vec![], None));
    }
}
