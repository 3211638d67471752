//! Scores of an assessment, their weighted total, and the coefficient that follows from it.

use govcloud_api::assessment::Score;
use govcloud_api::region::Scheme;

/// Criteria without a score, in the order of the scheme.
#[must_use]
pub fn missing(scheme: &Scheme, scores: &[Score]) -> Vec<String> {
    let scored = |name: &str| scores.iter().any(|score| score.criterion == name);
    let criteria = scheme.criteria.iter().filter(|criterion| !scored(&criterion.name));
    criteria.map(|criterion| criterion.name.clone()).collect()
}

/// Criteria that are scored and that the scheme does not have.
#[must_use]
pub fn unknown(scheme: &Scheme, scores: &[Score]) -> Vec<String> {
    let known = |name: &str| scheme.criteria.iter().any(|criterion| criterion.name == name);
    let unknown = scores.iter().filter(|score| !known(&score.criterion));
    unknown.map(|score| score.criterion.clone()).collect()
}

/// Weighted total in hundredths, from 0 to 10,000; `None` unless every criterion is scored, and no other.
#[must_use]
pub fn total(scheme: &Scheme, scores: &[Score]) -> Option<i32> {
    let complete = missing(scheme, scores).is_empty() && unknown(scheme, scores).is_empty();
    let weight = |score: &Score| {
        scheme.criteria.iter().find(|criterion| criterion.name == score.criterion).map(|c| c.weight)
    };
    let weighted = scores.iter().map(|score| Some(weight(score)? * score.score));
    complete.then(|| weighted.sum()).flatten()
}

/// A total as people read it: two decimals.
#[must_use]
pub fn written(total: i32) -> String {
    format!("{}.{:02}", total / 100, total % 100)
}

/// Coefficient of a total: that of the greatest step that it reaches.
#[must_use]
pub fn coefficient(scheme: &Scheme, total: i32) -> Option<String> {
    let reached = scheme.coefficients.iter().filter(|step| step.from * 100 <= total);
    reached.max_by_key(|step| step.from).map(|step| step.coefficient.clone())
}

#[cfg(test)]
mod tests {
    use govcloud_api::region::{Coefficient, Criterion, LocalName};
    use proptest::prelude::*;

    use super::*;

    fn scheme(weights: &[i32]) -> Scheme {
        let criterion = |(number, weight): (usize, &i32)| Criterion {
            name: format!("c{number}"),
            title: LocalName { zh: "指标".to_owned(), en: "criterion".to_owned() },
            weight: *weight,
        };
        let step = |(from, text): (i32, &str)| Coefficient { from, coefficient: text.to_owned() };
        Scheme {
            criteria: weights.iter().enumerate().map(criterion).collect(),
            coefficients: [(0, "0.8"), (90, "1"), (60, "0.95")].map(step).into(),
        }
    }

    fn score(criterion: &str, score: i32) -> Score {
        Score { criterion: criterion.to_owned(), score, reason: None }
    }

    #[test]
    fn a_total_is_the_weighted_sum_of_all_scores() {
        let scheme = scheme(&[40, 35, 25]);
        let scores = [score("c0", 90), score("c1", 81), score("c2", 77)];
        assert_eq!(total(&scheme, &scores).map(written).as_deref(), Some("83.60"));
        assert_eq!(total(&scheme, &scores[..2]), None);
        assert_eq!(missing(&scheme, &scores[..2]), ["c2"]);
        let other = [scores.to_vec(), vec![score("c9", 1)]].concat();
        assert_eq!((total(&scheme, &other), unknown(&scheme, &other)), (None, vec!["c9".to_owned()]));
    }

    #[test]
    fn the_greatest_step_that_is_reached_counts() {
        let scheme = scheme(&[100]);
        for (total, expected) in [(10_000, "1"), (9_000, "1"), (8_999, "0.95"), (6_000, "0.95"), (0, "0.8")] {
            assert_eq!(coefficient(&scheme, total).as_deref(), Some(expected), "{total}");
        }
        let none = Scheme { coefficients: Vec::new(), ..scheme };
        assert_eq!(coefficient(&none, 10_000), None);
    }

    proptest! {
        /// A total never leaves 0 to 100, and a better score never lowers it.
        #[test]
        fn totals_are_bounded_and_monotone(cut in 1_i32..100, a in 0_i32..=100, b in 0_i32..=100, more in 0_i32..=100) {
            let scheme = scheme(&[cut, 100 - cut]);
            let of = |a: i32| total(&scheme, &[score("c0", a), score("c1", b)]).unwrap();
            prop_assert!((0..=10_000).contains(&of(a)));
            prop_assert!(of(a.max(more)) >= of(a));
        }
    }
}
