use proptest::prelude::*;

use super::*;

/// Input, canonical form, and the form in a resource list (whole milli units), as printed by
/// k8s.io/apimachinery v0.37.2 (`String()` after clearing its cache of the input text).
const SERVER: &[(&str, &str, &str)] = &[
    ("0", "0", "0"),
    ("-0", "0", "0"),
    ("1", "1", "1"),
    ("+1", "1", "1"),
    ("007", "7", "7"),
    ("1500m", "1500m", "1500m"),
    ("1.5", "1500m", "1500m"),
    ("1.234", "1234m", "1234m"),
    ("1.100", "1100m", "1100m"),
    ("0.1", "100m", "100m"),
    (".5", "500m", "500m"),
    ("5.", "5", "5"),
    ("1m", "1m", "1m"),
    ("0.1m", "100u", "1m"),
    ("0.0001m", "100n", "1m"),
    ("1n", "1n", "1m"),
    ("0.1n", "1n", "1m"),
    ("-0.1n", "-1n", "-1m"),
    ("1u", "1u", "1m"),
    ("1000u", "1m", "1m"),
    ("1500u", "1500u", "2m"),
    ("1000n", "1u", "1m"),
    ("1k", "1k", "1k"),
    ("1000", "1k", "1k"),
    ("1024", "1024", "1024"),
    ("100000", "100k", "100k"),
    ("12000000", "12M", "12M"),
    ("1500k", "1500k", "1500k"),
    ("1000M", "1G", "1G"),
    ("1G", "1G", "1G"),
    ("1T", "1T", "1T"),
    ("1P", "1P", "1P"),
    ("1E", "1E", "1E"),
    ("10E", "10E", "10E"),
    ("999E", "999E", "999E"),
    ("8", "8", "8"),
    ("9223372036854775807", "9223372036854775807", "9223372036854775807"),
    ("9223372036854775808", "9223372036854775808", "9223372036854775808"),
    ("-9223372036854775808", "-9223372036854775808", "-9223372036854775808"),
    ("-9223372036854775809", "-9223372036854775809", "-9223372036854775809"),
    ("12345678901234567890", "12345678901234567890", "12345678901234567890"),
    ("1Ki", "1Ki", "1Ki"),
    ("1024Ki", "1Mi", "1Mi"),
    ("1025Ki", "1025Ki", "1025Ki"),
    ("1536Mi", "1536Mi", "1536Mi"),
    ("1.5Gi", "1536Mi", "1536Mi"),
    ("1Gi", "1Gi", "1Gi"),
    ("0.5Ki", "512", "512"),
    ("0.1Mi", "104857600m", "104857600m"),
    ("0.5Mi", "512Ki", "512Ki"),
    ("0.0001Ki", "102400u", "103m"),
    ("0.0000000001Ki", "103n", "1m"),
    ("1023", "1023", "1023"),
    ("1000Ki", "1000Ki", "1000Ki"),
    ("1.5Ki", "1536", "1536"),
    ("1.1Ki", "1126400m", "1126400m"),
    ("0.3Gi", "322122547200m", "322122547200m"),
    ("2.5Ti", "2560Gi", "2560Gi"),
    ("16Gi", "16Gi", "16Gi"),
    ("200Gi", "200Gi", "200Gi"),
    ("1Ti", "1Ti", "1Ti"),
    ("1024Ti", "1Pi", "1Pi"),
    ("1Pi", "1Pi", "1Pi"),
    ("1Ei", "1Ei", "1Ei"),
    ("7Ei", "7Ei", "7Ei"),
    ("7.9Ei", "9108079886394091110400m", "9108079886394091110400m"),
    ("8Ei", "9223372036854775807", "9223372036854775807"),
    ("100Ei", "9223372036854775807", "9223372036854775807"),
    ("-1Ki", "-1Ki", "-1Ki"),
    ("-8Ei", "-9223372036854775807", "-9223372036854775807"),
    ("-0.5Ki", "-512", "-512"),
    ("-1.5", "-1500m", "-1500m"),
    ("-100m", "-100m", "-100m"),
    ("-1100", "-1100", "-1100"),
    ("0Ki", "0", "0"),
    ("0m", "0", "0"),
    ("0.0", "0", "0"),
    ("000", "0", "0"),
    ("0e3", "0", "0"),
    ("1e3", "1e3", "1e3"),
    ("1E3", "1e3", "1e3"),
    ("12e6", "12e6", "12e6"),
    ("1e+2", "100", "100"),
    ("1e2", "100", "100"),
    ("1e5", "100e3", "100e3"),
    ("1.5e3", "1500", "1500"),
    ("1e-1", "100e-3", "100e-3"),
    ("1e-3", "1e-3", "1e-3"),
    ("5e-9", "5e-9", "1e-3"),
    ("1e-10", "1e-9", "1e-3"),
    ("123e-12", "1e-9", "1e-3"),
    ("1e18", "1e18", "1e18"),
    ("1e20", "100e18", "100e18"),
    ("100e3", "100e3", "100e3"),
    ("1000e3", "1e6", "1e6"),
    ("1e0", "1", "1"),
    ("1.00", "1", "1"),
    ("10.0", "10", "10"),
    ("0100Mi", "100Mi", "100Mi"),
    ("512Mi", "512Mi", "512Mi"),
    ("1152921504606846976", "1152921504606846976", "1152921504606846976"),
    ("4096Mi", "4Gi", "4Gi"),
    ("100m", "100m", "100m"),
    ("2000m", "2", "2"),
    ("2500m", "2500m", "2500m"),
    ("0.25", "250m", "250m"),
    ("1000000000n", "1", "1"),
    ("999999999n", "999999999n", "1"),
];

fn q(text: &str) -> Quantity {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn canonical_forms_are_those_of_the_api_server() {
    for (text, canonical, stored) in SERVER {
        assert_eq!(q(text).to_string(), *canonical, "canonical form of {text}");
        assert_eq!(q(text).stored().to_string(), *stored, "stored form of {text}");
    }
}

#[test]
fn what_the_api_server_refuses_is_refused() {
    for text in [
        "1e", "1ee3", "1Kii", "1K", "1ki", "1mi", "1g", "1 Gi", "abc", "1.2.3", "--1", "1e1.5", "0x10",
        "1_000", "1Zi", "1R",
    ] {
        assert!(text.parse::<Quantity>().is_err(), "{text}");
    }
}

#[test]
fn stricter_than_the_server_only_on_purpose() {
    for text in ["", "Ki", ".", "-", "+"] {
        assert_eq!(text.parse::<Quantity>(), Err(QuantityError::Number(text.to_owned())));
    }
    for text in ["1000E", "-1000E", "1e21", "1e2147483647"] {
        assert_eq!(text.parse::<Quantity>(), Err(QuantityError::TooLarge(text.to_owned())));
    }
    assert_eq!("1".repeat(65).parse::<Quantity>(), Err(QuantityError::TooLong));
    assert!("1e4294967296".parse::<Quantity>().is_err(), "the server wraps this to 1");
}

#[test]
fn hostile_exponents_stay_cheap() {
    assert_eq!(q("0e2147483647"), Quantity::ZERO);
    assert_eq!(q("1e-2147483648").to_string(), "1e-9");
    assert_eq!(q(" 16Gi "), q("16Gi"));
}

#[test]
fn an_error_says_what_is_allowed_in_both_languages() {
    let said = "16gi".parse::<Quantity>().unwrap_err().to_string();
    assert!(
        said.contains("后缀“gi”无效") && said.contains("Ki Mi Gi Ti Pi Ei") && said.contains("are allowed")
    );
}

#[test]
fn sums_keep_the_notation_of_the_first_unless_it_is_nothing() {
    let sum = |a, b| q(a).checked_add(q(b)).unwrap().to_string();
    assert_eq!(sum("1Gi", "1G"), "2073741824");
    assert_eq!(sum("1Gi", "512Mi"), "1536Mi");
    assert_eq!(sum("0", "1Gi"), "1Gi");
    assert_eq!(sum("900m", "100m"), "1");
    assert_eq!(q("1").checked_sub(q("1500m")).unwrap().to_string(), "-500m");
    assert_eq!(q("999E").checked_add(q("1E")), None);
}

prop_compose! {
    /// Any text in the grammar, most of it non-canonical.
    fn text()(
        sign in prop_oneof!["", "-", "\\+"],
        whole in "[0-9]{1,12}",
        fraction in prop_oneof![Just(String::new()), "\\.[0-9]{0,12}"],
        suffix in prop_oneof!["", "[numkMGTPE]", "[KMGTPE]i", "[eE][+-]?[0-7]"],
    ) -> String {
        format!("{sign}{whole}{fraction}{suffix}")
    }
}

fn quantity() -> impl Strategy<Value = Quantity> {
    text().prop_filter_map("below 1000E", |t| t.parse().ok())
}

proptest! {
    #[test]
    fn a_whole_number_counts_its_unit(whole in 0_u32..1_000_000_000, (suffix, unit) in prop::sample::select(vec![
        ("", NANO), ("m", MILLI), ("k", 1_000 * NANO), ("Ki", NANO << 10), ("Mi", NANO << 20), ("Gi", NANO << 30),
    ])) {
        prop_assert_eq!(q(&format!("{whole}{suffix}")).nanos(), i128::from(whole) * unit);
    }

    /// 128 bits and arithmetic of any length read the same.
    #[test]
    fn a_fraction_of_nothing_changes_nothing(
        whole in "[0-9]{1,24}",
        suffix in prop_oneof!["", "[numkMGTPE]", "[KMGTPE]i", "[eE][+-]?[0-9]{1,3}"],
    ) {
        let read = |text: String| text.parse::<Quantity>().map(|q| (q.nanos, q.format)).ok();
        prop_assert_eq!(read(format!("{whole}{suffix}")), read(format!("{whole}.0{suffix}")));
    }

    #[test]
    fn parsing_never_panics(text in "\\PC{0,80}") {
        let _ = text.parse::<Quantity>();
    }

    #[test]
    fn formatting_loses_nothing_and_is_stable(a in quantity()) {
        let text = a.to_string();
        prop_assert_eq!(q(&text), a);
        prop_assert_eq!(q(&text).to_string(), text);
    }

    #[test]
    fn order_is_that_of_the_amounts(a in quantity(), b in quantity()) {
        prop_assert_eq!(a.cmp(&b), a.nanos().cmp(&b.nanos()));
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        if let Some(difference) = a.checked_sub(b) {
            prop_assert_eq!(difference.is_negative(), a < b);
        }
    }

    #[test]
    fn addition_commutes_and_is_undone_by_subtraction(a in quantity(), b in quantity()) {
        prop_assert_eq!(a.checked_add(b), b.checked_add(a));
        if let Some(sum) = a.checked_add(b) {
            prop_assert_eq!(sum.checked_sub(b), Some(a));
        }
    }

    #[test]
    fn storing_rounds_away_from_zero_by_less_than_a_milli(a in quantity()) {
        let by = a.stored().nanos().abs() - a.nanos().abs();
        prop_assert!((0..MILLI).contains(&by));
        prop_assert_eq!(a.stored().stored(), a.stored());
    }
}
