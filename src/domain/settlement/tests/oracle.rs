//! B5: the second implementation, `e2e/tools/settlement/oracle.py`, computes the same statements from exports alone.

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde::Deserialize;

use super::super::state::State;
use super::super::statement::Statement;
use super::lives::{lives, lives_with_holes};
use super::*;

/// Lives that are compared, half of them with holes.
const LIVES: usize = 400;

/// What the second implementation answers for one export.
#[derive(Deserialize)]
struct Answer {
    statement: Statement,
    closing: State,
}

fn random_exports() -> Vec<Export> {
    let mut runner = TestRunner::deterministic();
    let mut one = |strategy: &BoxedStrategy<Export>| strategy.new_tree(&mut runner).unwrap().current();
    let (whole, with_holes) = (lives().boxed(), lives_with_holes().boxed());
    (0..LIVES).map(|number| one(if number % 2 == 0 { &whole } else { &with_holes })).collect()
}

/// The answers of the second implementation; `None` where there is no Python.
fn answers(exports: &[Export]) -> Option<Vec<Answer>> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../e2e/tools/settlement/oracle.py");
    let mut command = Command::new("python3");
    let child = command.arg(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: there is no python3 to run {program}");
        return None;
    };
    // It reads all of its input before it writes.
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(exports).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}: {}", output.status);
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn b5_the_second_implementation_agrees_to_the_cent() {
    let exports = random_exports();
    let Some(answers) = answers(&exports) else { return };
    assert_eq!(answers.len(), LIVES);
    let (mut complete, mut incomplete, mut corrected, mut lines) = (0, 0, 0, 0);
    for (export, answer) in exports.iter().zip(&answers) {
        let settlement = settled(export);
        let shown = || serde_json::to_string(export).unwrap();
        assert_eq!(answer.closing, settlement.closing, "{}", shown());
        assert_eq!(answer.statement, settlement.statement, "{}", shown());
        let statement = settlement.statement;
        if statement.is_complete() {
            complete += 1;
        } else {
            incomplete += 1;
        }
        corrected += statement.corrections.len();
        lines += statement.lines.len();
    }
    // The lives are of every sort.
    assert!(complete > LIVES / 2 && incomplete > LIVES / 20, "{complete} and {incomplete}");
    assert!(corrected > LIVES / 20 && lines > 5 * LIVES, "{corrected} corrections, {lines} lines");
}
