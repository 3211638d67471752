//! Wording in Chinese and English, kept apart until it is written to the API as one text.

use std::fmt;

use serde::Serialize;

/// Wording in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Bilingual {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Bilingual {
    /// Wording from its two halves.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// One text for both languages: a name, a code, or a message of somebody else.
    pub fn same(text: impl Into<String>) -> Self {
        let zh = text.into();
        Self { en: zh.clone(), zh }
    }

    /// Several wordings as one list, language by language. A long list ends with the number of those left out.
    #[must_use]
    pub fn list<'a>(texts: impl IntoIterator<Item = &'a Self>) -> Self {
        let texts: Vec<&Self> = texts.into_iter().collect();
        let mut length = 0;
        let fits = |t: &&&Self| {
            length += t.zh.len().max(t.en.len());
            length <= LIST_MAX
        };
        let shown = texts.iter().take_while(fits).count().max(1).min(texts.len());
        let (mut zh, mut en): (Vec<_>, Vec<_>) =
            texts[..shown].iter().map(|t| (t.zh.clone(), t.en.clone())).unzip();
        let more = texts.len() - shown;
        if more > 0 {
            zh.push(format!("另有 {more} 项"));
            en.push(format!("and {more} more"));
        }
        Self { zh: zh.join("；"), en: en.join("; ") }
    }

    /// Takes apart what was joined; whole in both languages where that cannot be told.
    #[must_use]
    pub fn read(joined: &str) -> Self {
        let mut halves = joined.split(SEPARATOR);
        match (halves.next(), halves.next(), halves.next()) {
            (Some(zh), Some(en), None) => Self::new(zh, en),
            _ => Self::same(joined),
        }
    }

    /// Wording of a refusal by the API server, whose policies write both languages after their own introduction.
    #[must_use]
    pub fn of_refusal(message: &str) -> Self {
        const DENIED: &str = "denied request: ";
        match message.split_once(DENIED) {
            Some((before, rule)) => {
                let Self { zh, en } = Self::read(rule);
                Self::new(format!("{before}{DENIED}{zh}"), format!("{before}{DENIED}{en}"))
            }
            None => Self::read(message),
        }
    }

    /// The same on one line.
    #[must_use]
    pub fn one_line(&self) -> Self {
        let line = |half: &str| half.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { zh: line(&self.zh), en: line(&self.en) }
    }

    /// The joined text in at most `max` bytes. Where that is less, each language is cut by itself.
    #[must_use]
    pub fn stored(&self, max: usize) -> String {
        let whole = self.to_string();
        if whole.len() <= max {
            return whole;
        }
        let half = max.saturating_sub(SEPARATOR.len()) / 2;
        let [zh, en] = self.halves();
        format!("{}{SEPARATOR}{}", cut(&zh, half), cut(&en, half))
    }

    /// Both halves without the separator, so that it stands once in what they are joined to.
    fn halves(&self) -> [String; 2] {
        let without = |half: &str, by: &str| {
            let mut half = half.to_owned();
            while half.contains(SEPARATOR) {
                half = half.replace(SEPARATOR, by);
            }
            half
        };
        [without(&self.zh, "／"), without(&self.en, "/")]
    }
}

/// Text between the languages.
const SEPARATOR: &str = " / ";

/// Most bytes that a list shows in one language.
const LIST_MAX: usize = 1000;

/// Cuts a text to at most `max` bytes at a character boundary.
fn cut(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let end = (0..=max.saturating_sub('…'.len_utf8())).rev().find(|at| text.is_char_boundary(*at));
    format!("{}…", &text[..end.unwrap_or(0)])
}

impl fmt::Display for Bilingual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [zh, en] = self.halves();
        write!(f, "{zh}{SEPARATOR}{en}")
    }
}

/// Formats wording from a Chinese and an English format string with inline arguments.
macro_rules! bilingual {
    ($zh:literal, $en:literal) => {
        $crate::bilingual::Bilingual {
            zh: ::std::fmt::format(::std::format_args!($zh)),
            en: ::std::fmt::format(::std::format_args!($en)),
        }
    };
}
pub(crate) use bilingual;

/// Implements `Display` and `Error` for types whose `text()` is [`Bilingual`].
macro_rules! bilingual_errors {
    ($($error:ty),+) => {$(
        impl std::fmt::Display for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.text().fmt(f)
            }
        }
        impl std::error::Error for $error {}
    )+};
}
pub(crate) use bilingual_errors;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_list_ends_with_the_number_of_those_left_out() {
        let text = Bilingual::new("命名空间 a 的 pods 申请 2", "namespace a asks for pods 2");
        let short = Bilingual::list(&vec![text.clone(); 3]);
        assert!(short.en.ends_with("pods 2") && short.en.matches("asks").count() == 3, "{short}");
        let long = Bilingual::list(&vec![text; 400]);
        assert!(long.en.len() < 1200 && long.zh.len() < 1200, "{long}");
        let shown = long.en.matches("asks").count();
        assert!(long.en.ends_with(&format!("; and {} more", 400 - shown)), "{long}");
        assert!(long.zh.ends_with(&format!("；另有 {} 项", 400 - shown)), "{long}");
    }

    #[test]
    fn a_refusal_by_a_policy_is_taken_apart() {
        let denied = "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: 不符合 / not so";
        let Bilingual { zh, en } = Bilingual::of_refusal(denied);
        assert!(zh.ends_with("denied request: 不符合") && en.ends_with("denied request: not so"));
        assert_eq!(Bilingual::of_refusal("exceeded quota"), Bilingual::same("exceeded quota"));
    }

    proptest! {
        /// Whatever is joined is taken apart again, also where it quotes text with the separator.
        #[test]
        fn joined_halves_are_taken_apart(zh in "[一-十/ a]{1,40}", en in "[a-c/ ]{1,40}", max in 40_usize..200) {
            let text = Bilingual::new(zh, en);
            let [a, b] = text.halves();
            prop_assume!(!a.ends_with(" /") && !b.starts_with("/ "));
            prop_assert_eq!(Bilingual::read(&text.to_string()), Bilingual::new(a, b));
            let stored = text.stored(max);
            prop_assert!(stored.len() <= max);
            prop_assert!(stored.contains(SEPARATOR));
        }
    }
}
