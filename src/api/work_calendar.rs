//! WorkCalendar: the days off and the make-up workdays that the State Council publishes.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::time::CivilDate;

/// Published working days (Art. 13–16 count in them). Its `metadata.generation` is the revision that
/// every deadline names.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "govcloud.dev",
    version = "v1alpha1",
    kind = "WorkCalendar",
    plural = "workcalendars",
    shortname = "wcal",
    category = "govcloud",
    doc = "Published holidays and make-up workdays, by year. A year that is not listed is not published: \
           deadlines that reach into it are provisional.",
    derive = "PartialEq",
    printcolumn(
        name = "Revision",
        type_ = "integer",
        description = "Revision that deadlines refer to",
        json_path = ".metadata.generation"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct WorkCalendarSpec {
    /// The published years. A year that is absent is unknown, not free of holidays.
    #[schemars(length(min = 1, max = 50))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["year".into()]))]
    pub years: Vec<WorkYear>,
}

/// One year as its notice publishes it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(
    validation = Rule::new("self.holidays.all(h, h.from.getFullYear() == self.year && (!has(h.to) || h.to.getFullYear() == self.year))")
        .message("节假日须在本年之内，12 月的日期写在上一年之下 / every holiday lies within its year; days of December are entered under the year before"),
    validation = Rule::new("!has(self.makeUpWorkdays) || self.makeUpWorkdays.all(d, d.getFullYear() == self.year)")
        .message("调休上班日须在本年之内，12 月的日期写在上一年之下 / every make-up workday lies within its year; days of December are entered under the year before"),
    validation = Rule::new("!has(self.makeUpWorkdays) || self.makeUpWorkdays.all(d, self.holidays.all(h, d < h.from || d > (has(h.to) ? h.to : h.from)))")
        .message("同一天不能既放假又上班 / no date is both a holiday and a make-up workday")
)]
#[serde(rename_all = "camelCase")]
pub struct WorkYear {
    /// The year these days belong to.
    #[schemars(range(min = 1992, max = 9998))]
    pub year: i32,
    /// Number of the State Council notice, such as 国办发明电〔2025〕7号.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub notice: Option<String>,
    /// Days off. A holiday that spans the turn of the year is entered in both years.
    #[schemars(length(max = 40))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub holidays: Vec<Holiday>,
    /// Saturdays and Sundays worked in exchange (调休上班).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 40))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(d, d.getDayOfWeek() in [0, 6])")
            .message("调休上班日必须是周六或周日 / a make-up workday is a Saturday or a Sunday")
    )]
    pub make_up_workdays: Vec<CivilDate>,
}

/// Consecutive days off under one name.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(
    validation = Rule::new("!has(self.to) || self.from <= self.to")
        .message("开始日不得晚于结束日 / from is not after to")
)]
#[serde(rename_all = "camelCase")]
pub struct Holiday {
    /// Name as published, such as 国庆节.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// First day off.
    pub from: CivilDate,
    /// Last day off; where absent, the first is the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<CivilDate>,
}

#[cfg(test)]
mod tests {
    use kube::CustomResourceExt;

    use super::*;

    #[test]
    fn the_schema_is_as_recorded() {
        insta::assert_yaml_snapshot!(WorkCalendar::crd());
    }

    #[test]
    fn the_shipped_calendar_reads_and_writes_back_the_same() {
        let text = include_str!("../../config/calendars/cn.yaml");
        let calendar: WorkCalendar = serde_saphyr::from_str(text).unwrap();
        assert_eq!(calendar.metadata.name.as_deref(), Some("cn"));
        let years: Vec<i32> = calendar.spec.years.iter().map(|y| y.year).collect();
        assert_eq!(years, (2020..=2026).collect::<Vec<_>>(), "2027 is not published");
        assert!(calendar.spec.years.iter().all(|y| y.notice.is_some()));
        let again: WorkCalendar = serde_json::from_value(serde_json::to_value(&calendar).unwrap()).unwrap();
        assert_eq!(again, calendar);
    }
}
