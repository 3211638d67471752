//! One row: what somebody files or changes, what comes of it, and that it can be put right.

use anyhow::{Context as _, Result, ensure};
use e2e::fixtures::{Department, Kind, condition, refusal};
use serde_json::Value;

/// Expected result of bad input.
#[derive(Clone, Copy, Debug)]
pub enum Expect {
    /// The API server refuses it, and says each of these.
    Refused(&'static [&'static str]),
    /// It is kept, with `Valid=False`, this reason, and a message that says each of these.
    Invalid(&'static str, &'static [&'static str]),
    /// It is nothing bad.
    Accepted,
}

/// One row of a table of applications.
pub struct Row {
    /// Name of the case, and of the record.
    pub what: &'static str,
    /// Change to the sample application.
    pub spoil: fn(&mut Value),
    /// Expected result.
    pub expect: Expect,
}

/// Files the spoilt application, checks what comes of it, and then puts it right: the same name, the sample's spec.
pub async fn try_row(department: &Department, row: &Row) -> Result<()> {
    let right = department.application(row.what)?;
    let mut spoilt = right.clone();
    (row.spoil)(&mut spoilt);
    let name = spoilt["metadata"]["name"].as_str().context("no name")?.to_owned();
    match row.expect {
        Expect::Refused(fragments) => {
            says(row.what, &refusal(department.file(&spoilt).await)?, fragments)?;
            ensure!(
                department.get(Kind::Application, &name).await.is_err(),
                "{}: refused and stored",
                row.what
            );
            department.file(&right).await.with_context(|| row.what)?;
        }
        Expect::Invalid(reason, fragments) => {
            department.file(&spoilt).await.with_context(|| row.what)?;
            let judged = department.judged(Kind::Application, &name, reason).await?;
            let status = &judged.data["status"];
            says(row.what, condition(status, "Valid")["message"].as_str().unwrap_or_default(), fragments)?;
            ensure!(status["waitingOn"] == "Department", "{}: waits on {}", row.what, status["waitingOn"]);
            ensure!(judged.data["spec"] == stored(&spoilt), "{}: something was lost", row.what);
            replace(department, Kind::Application, &name, &right["spec"]).await?;
        }
        Expect::Accepted => drop(department.file(&spoilt).await.with_context(|| row.what)?),
    }
    department.judged(Kind::Application, &name, "Valid").await.map(drop)
}

/// Puts another spec in place of the one that is there, as the department.
pub async fn replace(department: &Department, kind: Kind, name: &str, spec: &Value) -> Result<()> {
    let mut object = department.get(kind, name).await?;
    object.data["spec"] = spec.clone();
    let api = department.api(department.applicant, kind).await?;
    api.replace(name, &Default::default(), &object).await.map(drop).context("putting it right")
}

/// Manifest as the API server stores it.
fn stored(manifest: &Value) -> Value {
    manifest["spec"].clone()
}

/// That a message says each of these.
pub fn says(what: &str, message: &str, fragments: &[&str]) -> Result<()> {
    for fragment in fragments {
        ensure!(message.contains(fragment), "{what}: does not say {fragment:?}: {message}");
    }
    Ok(())
}
