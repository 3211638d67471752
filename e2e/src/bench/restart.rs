//! A new process over many active applications, beside bare LISTs of what it reads.

use std::time::Instant;

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use govcloud_controller::watches::{PAGE, WATCHED, Watched};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::board::{Board, Mark};
use super::figures::median;
use super::lanes;
use super::scale::{idle, seen};
use super::scene::{PATIENCE, Scene};
use crate::personas::OPERATOR;

/// One start of a new process. Seconds are counted from it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Restart {
    /// Seconds that bare LISTs of all that the operator watches take, asked right before.
    pub lists: f64,
    /// Seconds until its first LIST arrived.
    pub begun: f64,
    /// Seconds until its last LIST was answered.
    pub listed: f64,
    /// Seconds until an approval that waited for it was provisioned.
    pub first_served: f64,
    /// Seconds until everything was looked at again.
    pub verified: f64,
    /// What it wrote meanwhile beside what the approval that waited needs.
    pub writes: usize,
    /// Its LISTs, one at least for each kind.
    pub lists_of_start: usize,
}

impl Restart {
    /// The median of one of its figures over some.
    pub fn median_of(some: &[Self], figure: impl Fn(&Self) -> f64) -> f64 {
        median(&some.iter().map(figure).collect::<Vec<_>>())
    }
}

/// Ends the operator, files and approves one application more, and starts it again over so many active ones.
pub async fn over(scene: &Scene, board: &Board, applications: usize) -> Result<Restart> {
    let waiting = scene.applications(applications, 1);
    scene.file(board, &waiting).await?;
    idle(scene, 0).await?;
    scene.rest().await?;
    scene.approve(&waiting).await?;
    let lists = lists(scene).await?;
    let log = scene.cluster.audit().follow()?;
    let before = board.count(Mark::Provisioned);
    let (began, began_at) = (Instant::now(), Timestamp::now());
    let (started, served) = tokio::join!(scene.operate_at_once(), async {
        board.until(Mark::Provisioned, before + 1, PATIENCE).await.map(|()| began.elapsed())
    });
    started?;
    let first_served = served?.as_secs_f64();
    // Every application and its grant, and two regions.
    idle(scene, 2 * applications + 2).await?;
    let verified = began.elapsed().as_secs_f64();
    let asked = seen(scene, log).await?.by_user(OPERATOR);
    let listed = asked.clone().verb("list");
    let after = |at: Option<Timestamp>| {
        at.map(|t| t.duration_since(began_at).as_secs_f64()).context("a start without a LIST")
    };
    let late = &waiting[0];
    let others = asked.writes().without_leases().keep(|e| {
        let of_late = e.object_ref.as_ref().is_some_and(|o| {
            o.name.starts_with(&late.name) || o.namespace.contains(&late.name) || o.name.contains(&late.name)
        });
        !of_late && !e.request_object.as_ref().is_some_and(|b| b.to_string().contains(&late.name))
    });
    Ok(Restart {
        lists,
        begun: after(listed.iter().map(|e| e.request_received_timestamp).min())?,
        listed: after(listed.iter().map(|e| e.stage_timestamp).max())?,
        first_served,
        verified,
        writes: others.len(),
        lists_of_start: listed.len(),
    })
}

/// Bare LISTs of all that the operator watches, as it asks for them: in pages, all kinds at once. Seconds.
async fn lists(scene: &Scene) -> Result<f64> {
    let began = Instant::now();
    let list = |what: &'static Watched| async move {
        let base = match what.of.api_version.split_once('/') {
            Some((group, version)) => format!("/apis/{group}/{version}/{}", what.of.plural),
            None => format!("/api/{}/{}", what.of.api_version, what.of.plural),
        };
        let selector = if what.labelled { "&labelSelector=govcloud.dev/application-uid" } else { "" };
        let mut next = String::new();
        loop {
            let page = lanes::get(&scene.admin, &format!("{base}?limit={PAGE}{selector}{next}")).await?;
            match page["metadata"]["continue"].as_str().filter(|c| !c.is_empty()) {
                Some(token) => next = format!("&continue={token}"),
                None => return anyhow::Ok(()),
            }
        }
    };
    try_join_all(WATCHED.iter().map(list)).await?;
    Ok(began.elapsed().as_secs_f64())
}
