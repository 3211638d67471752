//! Fairness: one department files a flood; what another, of another region, notices of it.

use anyhow::Result;
use serde::{Deserialize, Serialize};

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
    let applications = scene.applications(0, flood);
    let mut meanwhile = Vec::new();
    {
        let mut filed = std::pin::pin!(scene.file(&board, &applications));
        loop {
            tokio::select! {
                outcome = &mut filed => break outcome?,
                amended = other.amend(&board) => meanwhile.push(amended?),
            }
        }
    }
    Ok(Fairness { flood, alone: Amendments::of(&alone), meanwhile: Amendments::of(&meanwhile) })
}
