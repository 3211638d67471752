//! Seal: the operator's mark on what it recorded while the admission policies were intact (design, section 3; S1, S7).
//!
//! While a policy is missing, somebody else can write whatever the API server stores: annotations, their times in
//! `managedFields`, and status. None of that tells afterwards when a decision was made. A seal is a keyed digest, and
//! its key is in no record: what bears one was written by the operator.

use std::fmt;

use govcloud_api::record::Decision;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::Sha256;

use super::digest::{digest_of, hex};

/// Length of a key, in bytes.
pub const KEY_LENGTH: usize = 32;

/// The operator's key, and the period for which it vouches. The default one vouches for nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Seal {
    key: Option<[u8; KEY_LENGTH]>,
    period: Option<String>,
    adopts: bool,
}

/// The key is not shown.
impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, period, adopts } = self;
        let id = self.key_id();
        f.debug_struct("Seal").field("key", &id).field("period", period).field("adopts", adopts).finish()
    }
}

impl Seal {
    /// The seal of a key, outside of any period.
    #[must_use]
    pub fn new(key: [u8; KEY_LENGTH]) -> Self {
        Self { key: Some(key), period: None, adopts: false }
    }

    /// The seal in a period of intact policies; `None` while they are not. With `adopts`, what bears no seal of this key
    /// counts as well: records of the time before the key, under policies that have been intact ever since.
    #[must_use]
    pub fn in_period(&self, period: Option<String>, adopts: bool) -> Self {
        Self { key: self.key, period, adopts }
    }

    /// Returns true if there is a key.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Name of the key: 16 hexadecimal digits, from which nobody learns the key.
    #[must_use]
    pub fn key_id(&self) -> Option<String> {
        self.mac(&"key").map(|mac| mac.chars().take(16).collect())
    }

    /// Seal of a decision on the record with this UID.
    #[must_use]
    pub fn of_decision(&self, uid: &str, decision: &Decision) -> Option<String> {
        let Decision {
            verdict,
            by,
            at,
            at_source,
            opinion,
            generation,
            digest,
            reattach,
            adopt,
            void,
            seal: _,
        } = decision;
        let generation = generation.to_string();
        let reviewed = (opinion, generation, digest, reattach, void);
        let decided = ("decision", uid, (verdict, by, at, at_source), reviewed);
        // Counted where there is any, so that the seals of earlier versions stay the same.
        if adopt.is_empty() { self.mac(&decided) } else { self.mac(&(decided, adopt)) }
    }

    /// Returns true if the operator wrote this decision into the status of the record with this UID.
    #[must_use]
    pub fn wrote(&self, uid: &str, decision: &Decision) -> bool {
        decision.seal.is_some() && decision.seal == self.of_decision(uid, decision)
    }

    /// Returns true if a recorded decision counts: the operator wrote it, or it is of the time before the key.
    #[must_use]
    pub fn vouches_for(&self, uid: &str, decision: &Decision) -> bool {
        self.adopts || self.wrote(uid, decision)
    }

    /// Seal of the record with this UID, seen in this period. `None` outside of one.
    #[must_use]
    pub fn of_period(&self, uid: &str) -> Option<String> {
        self.mac(&("period", uid, self.period.as_ref()?))
    }

    /// Returns true if the operator saw the record in this period, without a decision that it does not know.
    #[must_use]
    pub fn saw(&self, uid: &str, seen: Option<&String>) -> bool {
        self.adopts || (seen.is_some() && seen == self.of_period(uid).as_ref())
    }

    /// HMAC-SHA-256 of the canonical form, in hexadecimal digits.
    fn mac(&self, of: &impl Serialize) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key?).ok()?;
        mac.update(digest_of(of).ok()?.as_bytes());
        Some(hex(&mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use govcloud_api::record::{TimeSource, Verdict};
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn approved() -> Decision {
        Decision {
            verdict: Verdict::Approved,
            by: "li".to_owned(),
            at: Timestamp::UNIX_EPOCH.into(),
            at_source: TimeSource::ManagedFields,
            opinion: Some("同意".to_owned()),
            generation: 1,
            digest: "sha256:0".to_owned(),
            reattach: Vec::new(),
            adopt: Vec::new(),
            void: None,
            seal: None,
        }
    }

    fn sealed(seal: &Seal, uid: &str, decision: Decision) -> Decision {
        Decision { seal: seal.of_decision(uid, &decision), ..decision }
    }

    #[test]
    fn a_seal_counts_for_its_record_key_and_decision_alone() {
        let seal = Seal::new([1; KEY_LENGTH]);
        let recorded = sealed(&seal, "u", approved());
        assert!(seal.vouches_for("u", &recorded));
        assert!(!seal.vouches_for("another", &recorded));
        assert!(!Seal::new([2; KEY_LENGTH]).vouches_for("u", &recorded));
        assert!(!seal.vouches_for("u", &approved()), "without a seal");
        let edits: [fn(&mut Decision); 9] = [
            |d| d.verdict = Verdict::Rejected,
            |d| d.by = "wang".to_owned(),
            |d| d.at = Timestamp::MAX.into(),
            |d| d.at_source = TimeSource::Observed,
            |d| d.opinion = None,
            |d| d.generation = 2,
            |d| d.digest = "sha256:1".to_owned(),
            |d| d.reattach = vec!["n".to_owned()],
            |d| d.adopt = vec!["n".to_owned()],
        ];
        for edit in edits {
            let mut altered = recorded.clone();
            edit(&mut altered);
            assert!(!seal.vouches_for("u", &altered), "{altered:?}");
        }
        let void = sealed(&seal, "u", Decision { void: Some("why".to_owned()), ..approved() });
        assert!(!seal.vouches_for("u", &Decision { void: None, ..void }), "void, and then no longer");
    }

    #[test]
    fn a_period_is_one_record_and_one_beginning() {
        let of = |period: &str| Seal::new([1; KEY_LENGTH]).in_period(Some(period.to_owned()), false);
        let mark = of("first").of_period("u");
        assert!(of("first").saw("u", mark.as_ref()));
        assert!(!of("second").saw("u", mark.as_ref()) && !of("first").saw("v", mark.as_ref()));
        assert!(!of("first").saw("u", None));
        let outside = Seal::new([1; KEY_LENGTH]);
        assert!(outside.of_period("u").is_none() && !outside.saw("u", mark.as_ref()));
    }

    #[test]
    fn without_a_key_nothing_counts_and_nothing_is_sealed() {
        let none = Seal::default();
        assert_eq!((none.of_decision("u", &approved()), none.key_id()), (None, None));
        assert!(!none.vouches_for("u", &approved()) && !none.saw("u", None));
    }

    #[test]
    fn the_key_is_not_shown() {
        let shown = format!("{:?}", Seal::new([7; KEY_LENGTH]));
        assert!(!shown.contains("7, 7") && shown.contains("key"), "{shown}");
    }

    proptest! {
        /// Nobody without the key makes a seal: none that was made up, or taken from another record, counts.
        #[test]
        fn a_seal_from_elsewhere_never_counts(key in any::<[u8; KEY_LENGTH]>(), other in "[0-9a-f]{64}", uid in "[a-z]{1,8}") {
            let seal = Seal::new(key);
            let forged = Decision { seal: Some(other), ..approved() };
            prop_assert!(!seal.vouches_for(&uid, &forged));
            let of_another = sealed(&seal, &format!("{uid}-"), approved());
            prop_assert!(!seal.vouches_for(&uid, &of_another));
        }
    }
}
