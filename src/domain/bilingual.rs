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

    /// Several wordings as one list, language by language.
    #[must_use]
    pub fn list<'a>(texts: impl IntoIterator<Item = &'a Self>) -> Self {
        let (zh, en): (Vec<&str>, Vec<&str>) = texts.into_iter().map(|t| (&*t.zh, &*t.en)).unzip();
        Self { zh: zh.join("；"), en: en.join("; ") }
    }
}

impl fmt::Display for Bilingual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.zh, self.en)
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
