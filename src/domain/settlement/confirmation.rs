//! Confirmation of a statement until it is settled (Art. 6, 26): computed, confirmed by the department, decided by the
//! authority. Final from then on.
//!
//! - The department confirms exactly one digest. A statement that is computed anew is another one, and is confirmed again.
//! - The provider may object with a reason. That pauses the department's clock and starts the authority's.
//! - The authority settles what was confirmed, and nothing else. Silence confirms nothing and settles nothing.
//!
//! This is a state machine without time: each [`Act`] gives the next state, and what is to be done with the two clocks
//! ([`crate::deadline::DeadlineClock`]).

use govcloud_api::deadline::Party;
use govcloud_api::record::Verdict;
pub use govcloud_api::statement::StatementPhase as Phase;

use crate::bilingual::{Bilingual, bilingual, bilingual_errors};

/// Somebody's act on one digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The digest.
    pub digest: String,
    /// Username, as stamped.
    pub by: String,
}

/// What was done with a statement so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Phase.
    pub phase: Phase,
    /// Digest of the statement as it was computed last; absent while it is incomplete.
    pub digest: Option<String>,
    /// Confirmation by the department.
    pub confirmed: Option<Signed>,
    /// Reason of the provider's objection, while it stands.
    pub objection: Option<String>,
    /// Decision that settled it.
    pub settled: Option<Signed>,
}

/// An act on a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The operator computed it: with a digest if it is complete.
    Computed(Option<String>),
    /// The department confirms.
    Confirm(Signed),
    /// The provider objects.
    Object {
        /// The reason.
        reason: String,
    },
    /// The provider takes its objection back.
    WithdrawObjection,
    /// The authority decides.
    Decide(Verdict, Signed),
}

/// Clock of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The department confirms.
    Confirm,
    /// The authority settles.
    Settle,
}

/// What is to be done with a clock, each by the function of that name in [`crate::deadline::DeadlineClock`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockChange {
    /// It is opened anew.
    Open(Clock),
    /// It stands still while the other party is waited on.
    Pause(Clock),
    /// It goes on.
    Resume(Clock),
    /// The obligation is met.
    Meet(Clock),
    /// The obligation fell away.
    Close(Clock),
}

/// Reason for which an act is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The statement is settled or refused.
    Final,
    /// Something is missing, so there is nothing to confirm or decide.
    Incomplete,
    /// The act names another digest than the statement has.
    AnotherDigest {
        /// Digest that the act names.
        named: String,
        /// Digest of the statement.
        current: String,
    },
    /// It is confirmed already.
    AlreadyConfirmed,
    /// It is not confirmed, so it cannot be settled.
    NotConfirmed,
    /// It was returned, and the records have not changed since.
    Returned,
    /// An objection gives no reason.
    ReasonMissing,
    /// There is an objection already, or none to take back.
    Objection,
    /// Who confirmed does not decide.
    SamePerson {
        /// The person.
        by: String,
    },
}

use ClockChange::{Close, Meet, Open, Pause, Resume};

impl Progress {
    /// The state after an act, and what is to be done with the clocks.
    ///
    /// # Errors
    /// If the act is not allowed. Nothing changes then.
    pub fn act(&self, act: &Act) -> Result<(Self, Vec<ClockChange>), Refusal> {
        if self.phase.is_over() {
            return Err(Refusal::Final);
        }
        match act {
            Act::Computed(digest) => Ok(self.computed(digest.as_ref())),
            Act::Confirm(signed) => self.confirm(signed),
            Act::Object { reason } => self.object(reason),
            Act::WithdrawObjection => self.withdraw_objection(),
            Act::Decide(verdict, signed) => self.decide(*verdict, signed),
        }
    }

    /// Party whose turn it is.
    pub fn waiting_on(&self) -> Party {
        match self.phase {
            Phase::AwaitingConfirmation if self.objection.is_some() => Party::Authority,
            Phase::AwaitingConfirmation => Party::Department,
            Phase::AwaitingDecision => Party::Authority,
            Phase::Open | Phase::Returned | Phase::Settled | Phase::Voided => Party::None,
        }
    }

    /// A statement that differs from the last one voids what was done with that.
    fn computed(&self, digest: Option<&String>) -> (Self, Vec<ClockChange>) {
        if self.digest.as_ref() == digest {
            return (self.clone(), Vec::new());
        }
        let mut clocks: Vec<ClockChange> = self.running().into_iter().map(Close).collect();
        let phase = if digest.is_some() { Phase::AwaitingConfirmation } else { Phase::Open };
        clocks.extend(digest.map(|_| Open(Clock::Confirm)));
        (Self { phase, digest: digest.cloned(), ..Self::default() }, clocks)
    }

    fn confirm(&self, signed: &Signed) -> Result<(Self, Vec<ClockChange>), Refusal> {
        self.check(&signed.digest)?;
        match self.phase {
            Phase::AwaitingDecision => return Err(Refusal::AlreadyConfirmed),
            Phase::Returned => return Err(Refusal::Returned),
            _ => {}
        }
        let mut clocks = vec![Meet(Clock::Confirm)];
        // An objection started it already.
        clocks.extend(self.objection.is_none().then_some(Open(Clock::Settle)));
        let next = Self { phase: Phase::AwaitingDecision, confirmed: Some(signed.clone()), ..self.clone() };
        Ok((next, clocks))
    }

    fn object(&self, reason: &str) -> Result<(Self, Vec<ClockChange>), Refusal> {
        if reason.trim().is_empty() {
            return Err(Refusal::ReasonMissing);
        }
        if self.objection.is_some() {
            return Err(Refusal::Objection);
        }
        let clocks = match self.phase {
            Phase::AwaitingConfirmation => vec![Pause(Clock::Confirm), Open(Clock::Settle)],
            Phase::AwaitingDecision => Vec::new(),
            Phase::Returned => return Err(Refusal::Returned),
            _ => return Err(Refusal::Incomplete),
        };
        Ok((Self { objection: Some(reason.to_owned()), ..self.clone() }, clocks))
    }

    fn withdraw_objection(&self) -> Result<(Self, Vec<ClockChange>), Refusal> {
        if self.objection.is_none() {
            return Err(Refusal::Objection);
        }
        let clocks = match self.phase {
            Phase::AwaitingConfirmation => vec![Resume(Clock::Confirm), Close(Clock::Settle)],
            _ => Vec::new(),
        };
        Ok((Self { objection: None, ..self.clone() }, clocks))
    }

    /// The authority settles what was confirmed. It may return or refuse what was objected to as well.
    fn decide(&self, verdict: Verdict, signed: &Signed) -> Result<(Self, Vec<ClockChange>), Refusal> {
        self.check(&signed.digest)?;
        if self.phase == Phase::Returned {
            return Err(Refusal::Returned);
        }
        let confirmed = self.confirmed.as_ref();
        if confirmed.is_none() && (verdict == Verdict::Approved || self.objection.is_none()) {
            return Err(Refusal::NotConfirmed);
        }
        if let Some(same) = confirmed.filter(|confirmed| confirmed.by == signed.by) {
            return Err(Refusal::SamePerson { by: same.by.clone() });
        }
        let mut clocks = vec![Meet(Clock::Settle)];
        clocks.extend(confirmed.is_none().then_some(Close(Clock::Confirm)));
        let next = match verdict {
            Verdict::Approved => {
                Self { phase: Phase::Settled, settled: Some(signed.clone()), ..self.clone() }
            }
            Verdict::Returned => {
                Self { phase: Phase::Returned, digest: self.digest.clone(), ..Self::default() }
            }
            Verdict::Rejected => Self { phase: Phase::Voided, ..self.clone() },
        };
        Ok((next, clocks))
    }

    /// Clocks that are open, running or paused.
    fn running(&self) -> Vec<Clock> {
        match (self.phase, &self.objection) {
            (Phase::AwaitingConfirmation, None) => vec![Clock::Confirm],
            (Phase::AwaitingConfirmation, Some(_)) => vec![Clock::Confirm, Clock::Settle],
            (Phase::AwaitingDecision, _) => vec![Clock::Settle],
            _ => Vec::new(),
        }
    }

    /// Refuses an act on another digest than the present one.
    fn check(&self, named: &str) -> Result<(), Refusal> {
        match &self.digest {
            None => Err(Refusal::Incomplete),
            Some(current) if current != named => {
                Err(Refusal::AnotherDigest { named: named.to_owned(), current: current.clone() })
            }
            Some(_) => Ok(()),
        }
    }
}

impl Refusal {
    /// Wording: why, and what to do.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::Final => Bilingual::new(
                "结算单已办结，不能更改；差错列入其后月份更正",
                "the statement is final; what is wrong is corrected in a later month",
            ),
            Self::Incomplete => Bilingual::new(
                "结算单缺少事实，不能确认或审核；请先补全所列各项",
                "the statement is incomplete, so it cannot be confirmed or decided on; complete what it lists first",
            ),
            Self::AnotherDigest { named, current } => bilingual!(
                "所写校验值 {named} 不是本结算单的校验值 {current}；请核对后按现校验值办理",
                "the digest {named} is not that of the statement, {current}; check the statement and name its digest"
            ),
            Self::AlreadyConfirmed => Bilingual::new("结算单已确认", "the statement is confirmed already"),
            Self::NotConfirmed => Bilingual::new(
                "使用部门尚未确认，不能结算；逾期未确认的，不视为同意",
                "the department has not confirmed, so it cannot be settled; silence is no consent",
            ),
            Self::Returned => Bilingual::new(
                "结算单已退回，记录尚未更正；更正后将重新计算",
                "the statement was returned and the records are as they were; it is computed anew once they are put right",
            ),
            Self::ReasonMissing => Bilingual::new("异议须写明理由", "an objection needs a reason"),
            Self::Objection => Bilingual::new(
                "已有异议未撤回，或没有可撤回的异议",
                "there is an objection already, or none to take back",
            ),
            Self::SamePerson { by } => {
                bilingual!(
                    "{by} 已代表使用部门确认，不能审核",
                    "{by} confirmed for the department and cannot decide"
                )
            }
        }
    }
}

bilingual_errors!(Refusal);

#[cfg(test)]
#[path = "tests/confirmation.rs"]
mod tests;
