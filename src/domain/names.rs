//! Names of tenant namespaces, and the names nobody may have.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

/// Longest DNS-1123 label, and longest label value, in bytes.
const MAX: usize = 63;
/// Hex digits of the hash that are shown: its first four bytes.
const HASH: usize = 8;

/// The namespace of one entry of an application: `<filing ns>-<application>-<entry>`, cut to fit, then `-`
/// and 8 hex digits of the SHA-256 over the three parts, separated by NUL. So `a`/`b-c` and `a-b`/`c`
/// differ, and so do two names that are cut to the same. Always a DNS-1123 label; nothing parses it.
pub fn tenant_namespace(filing_ns: &str, application: &str, entry: &str) -> String {
    let hash = short_hash(&format!("{filing_ns}\0{application}\0{entry}"));
    let stem = cut(&format!("{filing_ns}-{application}-{entry}"), MAX - 1 - HASH);
    let stem = if stem.is_empty() { "tenant" } else { &stem };
    format!("{stem}-{hash}")
}

/// Names that no tenant namespace and no filing namespace may have: Kubernetes' own, and the operator's.
pub fn is_reserved(namespace: &str) -> bool {
    namespace == "default" || namespace.starts_with("kube-") || namespace.starts_with("govcloud-")
}

/// `name` as a label value: itself where it fits, otherwise cut, with the hash of the whole. A record's name
/// may hold 253 characters, a label value 63.
pub fn label_value(name: &str) -> Cow<'_, str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let bounded = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric());
    if name.is_empty() || (name.len() <= MAX && bounded && name.bytes().all(allowed)) {
        return Cow::Borrowed(name);
    }
    let stem = cut(name, MAX - 1 - HASH);
    let stem = if stem.is_empty() { "name" } else { &stem };
    Cow::Owned(format!("{stem}-{}", short_hash(name)))
}

/// `text` in lower case with every run of anything but `a-z0-9` as one `-`, at most `len` bytes, without `-`
/// at either end.
fn cut(text: &str, len: usize) -> String {
    let mut tidy = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() {
            tidy.push(char::from(b.to_ascii_lowercase()));
        } else if !tidy.is_empty() && !tidy.ends_with('-') {
            tidy.push('-');
        }
    }
    tidy.truncate(len);
    tidy.truncate(tidy.trim_end_matches('-').len());
    tidy
}

fn short_hash(text: &str) -> String {
    let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(text).into();
    format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_label(name: &str) -> bool {
        (1..=MAX).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && !name.starts_with('-')
            && !name.ends_with('-')
    }

    #[test]
    fn a_tenant_namespace_name_ends_with_a_hash() {
        // printf 'dept-transport\0travel\0prod' | sha256sum
        assert_eq!(
            tenant_namespace("dept-transport", "travel", "prod"),
            "dept-transport-travel-prod-b4ac6df6"
        );
        assert_ne!(tenant_namespace("d", "a", "b-c"), tenant_namespace("d", "a-b", "c"));
    }

    #[test]
    fn a_cut_name_has_no_double_hyphen() {
        // The 54th character of the stem is a hyphen.
        let name = tenant_namespace(&"d".repeat(53), "app", "prod");
        assert_eq!(name[..55], format!("{}-{}", "d".repeat(53), &name[54..55]));
        assert!(is_label(&name) && !name.contains("--"));
    }

    #[test]
    fn dotted_names_become_labels() {
        assert!(tenant_namespace("dept", "travel.v2", "prod").starts_with("dept-travel-v2-prod-"));
        assert_ne!(tenant_namespace("d", "a.b", "p"), tenant_namespace("d", "a-b", "p"));
    }

    #[test]
    fn reserved_names() {
        for name in ["default", "kube-system", "kube-", "govcloud-system", "govcloud-x"] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["dept-transport", "kubernetes", "defaults", "govcloud"] {
            assert!(!is_reserved(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn always_a_label(ns in "[a-z0-9-]{0,63}", app in "[a-z0-9.-]{0,253}", entry in "\\PC{0,63}") {
            let name = tenant_namespace(&ns, &app, &entry);
            prop_assert!(is_label(&name), "{name}");
            prop_assert!(!name.contains("--"), "{name}");
        }

        #[test]
        fn different_parts_have_different_names(
            a in ("[ab-]{0,3}", "[ab-]{0,3}", "[ab-]{0,3}"),
            b in ("[ab-]{0,3}", "[ab-]{0,3}", "[ab-]{0,3}"),
        ) {
            let name = |(n, p, e): &(String, String, String)| tenant_namespace(n, p, e);
            prop_assert_eq!(a == b, name(&a) == name(&b));
        }

        #[test]
        fn label_values_are_valid_and_kept_where_they_fit(name in "[a-z0-9]([a-z0-9.-]{0,100}[a-z0-9])?") {
            let value = label_value(&name);
            prop_assert!(value.len() <= MAX && value.ends_with(|c: char| c.is_ascii_alphanumeric()));
            prop_assert_eq!(value == name, name.len() <= MAX);
        }
    }
}
