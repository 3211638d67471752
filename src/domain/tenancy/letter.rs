//! The letter of an object: all of it that is compared, as one number. What is live is nearly always what was applied,
//! and two equal letters say so without building the one and without reading the other. Where they differ, the meanings
//! are compared (see [`super::drift`]).
//!
//! A letter is the sum of the hashes of an object's leaves, each with the path that leads to it, so that no order of
//! fields matters and what many objects have in common is hashed once. The key is this process's own: letters are
//! compared in its memory and kept nowhere else, and nobody can know two objects of one letter.

use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _};
use std::iter::Sum;
use std::ops::Add;
use std::sync::LazyLock;

use foldhash::quality::{FoldHasher, RandomState};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{ANNOTATION_STORAGE_CLASSES, is_label, namespace};
use crate::quantity::Quantity;

static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// What an object says, or a part of it, as one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Letter(u64);

impl Letter {
    /// The letter of a live object; of what is no JSON, one that no object has.
    pub fn of<'de>(object: impl Deserializer<'de>) -> Self {
        let whole = Part { path: Path::root(), of: Place::Object };
        whole.deserialize(object).unwrap_or_else(|_| Path::root().at("unreadable").map())
    }
}

impl Add for Letter {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

impl Sum for Letter {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Self::add)
    }
}

/// The way to a part of an object.
#[derive(Clone)]
pub(super) struct Path(FoldHasher<'static>);

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Path")
    }
}

impl Path {
    /// To the object itself.
    pub(super) fn root() -> Self {
        Self(KEY.build_hasher())
    }

    #[inline]
    fn and(&self, kind: u8, bytes: &[u8]) -> Self {
        let mut way = self.0.clone();
        way.write_u8(kind);
        way.write(bytes);
        Self(way)
    }

    fn leaf(&self, kind: u8, bytes: &[u8]) -> Letter {
        Letter(self.and(kind, bytes).0.finish())
    }

    /// To the field of a map.
    pub(super) fn at(&self, key: &str) -> Self {
        self.and(b'.', key.as_bytes())
    }

    /// To an item of a list.
    pub(super) fn item(&self, index: usize) -> Self {
        self.and(b'[', &index.to_le_bytes())
    }

    /// That there is a map, whatever is in it.
    pub(super) fn map(&self) -> Letter {
        self.leaf(b'{', &[])
    }

    /// That there is a list.
    pub(super) fn list(&self) -> Letter {
        self.leaf(b'l', &[])
    }

    /// A text.
    pub(super) fn text(&self, text: &str) -> Letter {
        self.leaf(b's', text.as_bytes())
    }

    /// Texts by key.
    pub(super) fn texts<'a>(&self, lines: impl IntoIterator<Item = (&'a str, &'a str)>) -> Letter {
        lines.into_iter().map(|(key, text)| self.at(key).text(text)).sum()
    }

    /// A quantity, by the amount that the API server stores; what is none, as it is written.
    pub(super) fn amount(&self, text: &str) -> Letter {
        match text.parse::<Quantity>() {
            Ok(amount) => self.leaf(b'q', &amount.stored().nanos().to_le_bytes()),
            Err(_) => self.text(text),
        }
    }

    /// Quantities by key; nothing where there are none, for the server drops such a map.
    pub(super) fn amounts<'a>(&self, lines: impl Iterator<Item = (&'a str, &'a str)>) -> Letter {
        let mut lines = lines.map(|(key, amount)| self.at(key).amount(amount)).peekable();
        if lines.peek().is_none() { Letter::default() } else { self.map() + lines.sum() }
    }
}

/// Where in an object a part is: what is compared of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The object: metadata, `spec`, `roleRef`, `subjects`. Status never counts.
    Object,
    Metadata,
    /// Those that a tenant's objects carry; there may be more.
    Labels,
    Annotations,
    /// All of it, but what the server says of a namespace.
    Spec,
    /// All of it.
    Whole,
    /// A map of quantities.
    Amounts,
    Amount,
}

impl Place {
    /// Where the field of a map here is; `None` where it does not count.
    fn field(self, key: &str) -> Option<Self> {
        match (self, key) {
            (Self::Object, "metadata") => Some(Self::Metadata),
            (Self::Object, "spec") => Some(Self::Spec),
            (Self::Object, "roleRef" | "subjects") => Some(Self::Whole),
            (Self::Metadata, "labels") => Some(Self::Labels),
            (Self::Metadata, "annotations") => Some(Self::Annotations),
            // Any owner is one too many.
            (Self::Metadata, "ownerReferences") => Some(Self::Whole),
            (Self::Object | Self::Metadata, _) | (Self::Spec, "finalizers") => None,
            (Self::Labels, _) if is_label(key) || key.starts_with(namespace::POD_SECURITY) => {
                Some(Self::Whole)
            }
            (Self::Annotations, ANNOTATION_STORAGE_CLASSES) => Some(Self::Whole),
            (Self::Labels | Self::Annotations, _) => None,
            (_, "hard" | "default" | "defaultRequest" | "max" | "min" | "maxLimitRequestRatio")
                if self != Self::Amounts =>
            {
                Some(Self::Amounts)
            }
            (Self::Amounts, _) => Some(Self::Amount),
            (Self::Spec | Self::Whole | Self::Amount, _) => Some(Self::Whole),
        }
    }

    /// Whether it counts that there is a map here.
    fn counts(self) -> bool {
        !matches!(self, Self::Object | Self::Metadata | Self::Labels | Self::Annotations | Self::Spec)
    }
}

/// A part of a live object, to be read.
#[derive(Debug)]
struct Part {
    path: Path,
    of: Place,
}

impl<'de> DeserializeSeed<'de> for Part {
    type Value = Letter;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Letter, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part {
    type Value = Letter;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Letter, M::Error> {
        let mut letter = if self.of.counts() { self.path.map() } else { Letter::default() };
        while let Some(field) = map.next_key_seed(Key(&self))? {
            letter = letter
                + match field {
                    Some(part) => map.next_value_seed(part)?,
                    None => map.next_value::<IgnoredAny>().map(|_| Letter::default())?,
                };
        }
        Ok(letter)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Letter, S::Error> {
        let mut letter = self.path.list();
        for index in 0.. {
            match items.next_element_seed(Part { path: self.path.item(index), of: Place::Whole })? {
                Some(item) => letter = letter + item,
                None => break,
            }
        }
        Ok(letter)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Letter, E> {
        Ok(if self.of == Place::Amount { self.path.amount(text) } else { self.path.text(text) })
    }

    fn visit_unit<E: Error>(self) -> Result<Letter, E> {
        Ok(self.path.leaf(b'n', &[]))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Letter, E> {
        Ok(self.path.leaf(b'b', &[value.into()]))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Letter, E> {
        Ok(self.path.leaf(b'i', &value.to_le_bytes()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Letter, E> {
        Ok(self.path.leaf(b'u', &value.to_le_bytes()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Letter, E> {
        Ok(self.path.leaf(b'f', &value.to_le_bytes()))
    }
}

/// The key of a field of a map: the part that it leads to, where that counts.
struct Key<'a>(&'a Part);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<Part>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Part>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = Option<Part>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Option<Part>, E> {
        Ok(self.0.of.field(key).map(|of| Part { path: self.0.path.at(key), of }))
    }
}
