//! Somebody else: an application of another region's office, amended again and again while something goes on.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::json;

use super::board::Board;
use super::lanes::{self, Lanes};
use super::scene::{PATIENCE, Scene, application, path};
use crate::office::{Kind, ZHENGZHOU};
use crate::personas::Persona;

/// An application of another region's office, amended again and again.
pub struct Other<'a> {
    scene: &'a Scene,
    department: Lanes,
    path: String,
}

impl<'a> Other<'a> {
    /// Files the application and waits until the operator has looked at it.
    pub async fn settle(scene: &'a Scene, board: &Board) -> Result<Self> {
        let file = scene.cluster.plane.kubeconfig(Persona::OtherDepartment);
        let department = Lanes::open(&file).await?;
        let mut object = application(ZHENGZHOU)?;
        object["metadata"]["name"] = json!("other");
        let collection = path(&scene.elsewhere, Kind::Application);
        lanes::create(department.first(), &collection, &object).await?;
        board.observed(&scene.elsewhere, "other", 1, PATIENCE).await?;
        Ok(Self { scene, department, path: format!("{collection}/other") })
    }

    /// One amendment: from its answer to the operator's word on it.
    pub async fn amend(&self, board: &Board) -> Result<Duration> {
        let phone = format!("0371-{}", jiff::Timestamp::now().as_nanosecond());
        let patch = json!({"spec": {"system": {"contact": {"phone": phone}}}});
        let answer = lanes::merge(self.department.first(), &self.path, &patch).await?;
        let committed = Instant::now();
        let generation = answer["metadata"]["generation"].as_i64().context("no generation")?;
        let at = board.observed(&self.scene.elsewhere, "other", generation, PATIENCE).await?;
        tokio::time::sleep(Duration::from_millis(10)).await;
        Ok(at.saturating_duration_since(committed))
    }
}
