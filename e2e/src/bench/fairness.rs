//! Fairness: one department files a flood; what another, of another region, notices of it. Then the same without the
//! operator: what of it is the API server's alone.

use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::figures::Spread;
use super::other::{Amended, Amendments, Other};
use super::scene::Scene;
use crate::office::Kind;

/// Amendments that are timed before the flood.
const ALONE: usize = 200;

/// What was measured.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Fairness {
    /// Applications that one department filed at once, over 16 connections.
    pub flood: usize,
    /// Another's amendments with nothing else going on.
    pub alone: Amendments,
    /// The same during the flood.
    pub meanwhile: Amendments,
    /// Without the operator, another's requests with nothing else going on.
    pub unheard_alone: Spread,
    /// Without the operator, during a flood as large.
    pub unheard_meanwhile: Spread,
}

/// Measures with so many requests of one department.
pub async fn measure(flood: usize) -> Result<Fairness> {
    let scene = Scene::open(1).await?;
    scene.operate().await?;
    let board = scene.board(Kind::Application);
    let other = Other::settle(&scene, &board).await?;
    let mut alone: Vec<Amended> = Vec::new();
    for _ in 0..ALONE {
        alone.push(other.amend(&board).await?);
    }
    let applications = scene.applications(0, 2 * flood);
    let (applications, unheard) = applications.split_at(flood);
    let meanwhile = during(scene.file(&board, applications), || other.amend(&board)).await?;
    scene.rest().await?;
    let mut unheard_alone: Vec<Duration> = Vec::new();
    for _ in 0..ALONE {
        unheard_alone.push(other.amend_unheard().await?);
    }
    let unheard_meanwhile = during(scene.file_unheard(unheard), || other.amend_unheard()).await?;
    Ok(Fairness {
        flood,
        alone: Amendments::of(&alone),
        meanwhile: Amendments::of(&meanwhile),
        unheard_alone: Spread::of(&unheard_alone),
        unheard_meanwhile: Spread::of(&unheard_meanwhile),
    })
}

/// What is done again and again while a flood lasts.
async fn during<T, Fut: Future<Output = Result<T>>>(
    flood: impl Future<Output = Result<()>>,
    again: impl Fn() -> Fut,
) -> Result<Vec<T>> {
    let mut flood = std::pin::pin!(flood);
    let mut done = Vec::new();
    loop {
        tokio::select! {
            outcome = &mut flood => return outcome.map(|()| done),
            one = again() => done.push(one?),
        }
    }
}
