//! Somebody else: an application of another region's office, amended again and again while something goes on.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::board::Board;
use super::figures::Spread;
use super::lanes::{self, Lanes};
use super::scene::{PATIENCE, Scene, application, path};
use crate::office::{Kind, ZHENGZHOU};
use crate::personas::Persona;

/// From one amendment to the next.
const PAUSE: Duration = Duration::from_millis(10);

/// How long one amendment took.
#[derive(Clone, Copy, Debug)]
pub struct Amended {
    /// From sending it to its answer: the API server's time alone.
    pub request: Duration,
    /// From its answer to the operator's word on it.
    pub word: Duration,
}

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

    /// One amendment, and the operator's word on it.
    pub async fn amend(&self, board: &Board) -> Result<Amended> {
        let (request, generation) = self.request().await?;
        let committed = Instant::now();
        let at = board.observed(&self.scene.elsewhere, "other", generation, PATIENCE).await?;
        tokio::time::sleep(PAUSE).await;
        Ok(Amended { request, word: at.saturating_duration_since(committed) })
    }

    /// One amendment that nobody is to say anything about.
    pub async fn amend_unheard(&self) -> Result<Duration> {
        let (request, _) = self.request().await?;
        tokio::time::sleep(PAUSE).await;
        Ok(request)
    }

    /// The request of an amendment: how long it took, and the generation that it came to.
    async fn request(&self) -> Result<(Duration, i64)> {
        let phone = format!("0371-{}", jiff::Timestamp::now().as_nanosecond());
        let patch = json!({"spec": {"system": {"contact": {"phone": phone}}}});
        let sent = Instant::now();
        let answer = lanes::merge(self.department.first(), &self.path, &patch).await?;
        let generation = answer["metadata"]["generation"].as_i64().context("no generation")?;
        Ok((sent.elapsed(), generation))
    }
}

/// Many amendments of somebody else.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Amendments {
    /// From sending each to its answer: what the API server makes everybody wait.
    pub requests: Spread,
    /// From each answer to the operator's word on it.
    pub words: Spread,
}

impl Amendments {
    /// Of those that were made.
    pub fn of(made: &[Amended]) -> Self {
        let spread = |of: fn(&Amended) -> Duration| Spread::of(&made.iter().map(of).collect::<Vec<_>>());
        Self { requests: spread(|a| a.request), words: spread(|a| a.word) }
    }
}
