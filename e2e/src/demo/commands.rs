//! Arguments of kubectl that several steps use, about a record of the department.

/// Approves the named record of the department at the generation that was captured last.
pub(super) fn approval(record: &str) -> String {
    decision(record, "approved", "同意")
}

/// Decides on the named record of the department at the generation that was captured last.
pub(super) fn decision(record: &str, verdict: &str, opinion: &str) -> String {
    format!(
        "annotate --overwrite -n dept-transport {record} govcloud.dev/decision={verdict} \
         govcloud.dev/reviewed-generation=$GENERATION govcloud.dev/opinion={opinion}"
    )
}

/// Waits until the named record of the department has `value` there.
pub(super) fn until(record: &str, path: &str, value: &str) -> String {
    format!("wait -n dept-transport {record} --for=jsonpath='{{.status.{path}}}'={value} --timeout=60s")
}

/// Prints the generation of the named record of the department.
pub(super) fn generation(record: &str) -> String {
    format!("get -n dept-transport {record} -o jsonpath='{{.metadata.generation}}'")
}
