//! Digests of what was decided, consented to and certified.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Top-level fields of a record's spec that an approval does not cover: they come later in the lifecycle and have
/// policies of their own (Art. 3, 14, 18, 23, 25, 27–29). No two kinds use one of these names with different meanings.
pub const LATER_FIELDS: [&str; 8] =
    ["goLive", "enforce", "contact", "consent", "handOver", "maintenanceOutcome", "responses", "objection"];

/// `sha256:<64 hex digits>` of the RFC 8785 canonical JSON of a record's raw stored spec, without
/// [`LATER_FIELDS`]. An approval is for exactly this digest (S1, S7).
///
/// The *raw* spec, never a typed one: a field this version does not know must count too.
pub fn spec_digest(raw_spec: &Value) -> String {
    let digest = match raw_spec {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(field, _)| !LATER_FIELDS.contains(&field.as_str()));
            digest_of(&kept.collect::<BTreeMap<_, _>>())
        }
        other => digest_of(other),
    };
    // A `Value` holds neither NaN nor keys that are not strings, which is all that can fail.
    digest.expect("every JSON value has a canonical form")
}

/// `sha256:<64 hex digits>` of the RFC 8785 canonical JSON of anything that serialises to JSON.
///
/// Numbers are IEEE doubles there: integers beyond 2^53 must be given as strings, or neighbours share a digest.
///
/// # Errors
/// If `value` has no JSON form: NaN, infinities, map keys that are not strings.
pub fn digest_of<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let canonical = serde_json_canonicalizer::to_vec(value)?;
    Ok(format!("sha256:{}", hex(&Sha256::digest(canonical))))
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// RFC 8785, section 3.2.2 (input) and 3.2.4 (expected UTF-8).
    #[test]
    fn the_sample_of_rfc_8785() {
        let input: Value = serde_json::from_str(
            r#"{
              "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            }"#,
        )
        .unwrap();
        let expected = concat!(
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
            r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
        assert_eq!(serde_json_canonicalizer::to_string(&input).unwrap(), expected);
        let hex: String = Sha256::digest(expected).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(digest_of(&input).unwrap(), format!("sha256:{hex}"));
    }

    /// RFC 8785, section 3.2.3: keys sort by UTF-16 code units, not by code points.
    #[test]
    fn keys_sort_by_utf_16() {
        let input =
            json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        let canonical = serde_json_canonicalizer::to_string(&input).unwrap();
        let values: Vec<_> = canonical.split(&[',', '}'][..]).filter_map(|m| m.rsplit(':').next()).collect();
        assert_eq!(values[..7], ["2", "4", "6", "7", "1", "5", "3"]);
    }

    /// RFC 8785, appendix B.
    #[test]
    fn numbers_of_rfc_8785() {
        for (bits, text) in [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5557_u64, "333333333.33333343"),
        ] {
            assert_eq!(serde_json_canonicalizer::to_string(&f64::from_bits(bits)).unwrap(), text);
        }
        assert!(serde_json_canonicalizer::to_string(&f64::NAN).is_err());
    }

    #[test]
    fn the_empty_spec_has_a_known_digest() {
        // printf '{}' | sha256sum
        let known = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(spec_digest(&json!({})), known);
        assert_eq!(spec_digest(&json!({"goLive": {"at": "x"}, "consent": 1, "handOver": []})), known);
    }

    #[test]
    fn later_fields_count_only_at_the_top() {
        let nested = |v| spec_digest(&json!({"system": {"consent": v}}));
        assert_ne!(nested(1), nested(2));
    }

    #[test]
    fn numbers_are_compared_by_value() {
        assert_eq!(spec_digest(&json!({"a": 1})), spec_digest(&json!({"a": 1.0})));
    }

    proptest! {
        #[test]
        fn key_order_does_not_count_and_values_do(a in "\\PC{0,8}", b in "\\PC{0,8}") {
            let one: Value = serde_json::from_str(&format!("{{\"x\":{},\"y\":{}}}", json!(a), json!(b))).unwrap();
            let two: Value = serde_json::from_str(&format!("{{\"y\":{},\"x\":{}}}", json!(b), json!(a))).unwrap();
            prop_assert_eq!(spec_digest(&one), spec_digest(&two));
            let swapped = json!({"x": b, "y": a});
            prop_assert_eq!(spec_digest(&one) == spec_digest(&swapped), a == b);
        }
    }
}
