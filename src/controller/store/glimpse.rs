//! An object as it lies in a store.

use std::sync::Arc;

use super::Held;
use super::packed::{Dictionary, Packed};
use govcloud_domain::tenancy::Letter;

/// An object as it lies in a store: nothing is unpacked before it is opened.
#[derive(Debug)]
pub struct Glimpse<T> {
    /// Its name.
    pub name: String,
    /// What it says, as one number.
    pub letter: Letter,
    lies: Lies<T>,
}

/// How an object lies in a store.
#[derive(Debug)]
enum Lies<T> {
    AsItIs(Arc<T>),
    Packed(Packed, Dictionary),
}

impl<T> Glimpse<T> {
    /// Of what is held as it is.
    pub(super) fn of(name: String, letter: Letter, object: Arc<T>) -> Self {
        Self { name, letter, lies: Lies::AsItIs(object) }
    }

    /// Of what is held packed.
    pub(super) fn of_packed(name: String, letter: Letter, packed: Packed, dictionary: Dictionary) -> Self {
        Self { name, letter, lies: Lies::Packed(packed, dictionary) }
    }
}

impl<T: Held> Glimpse<T> {
    /// The object.
    pub fn open(self) -> Arc<T> {
        match self.lies {
            Lies::AsItIs(object) => object,
            Lies::Packed(packed, dictionary) => Arc::new(T::unpack(&dictionary.unpack(&packed))),
        }
    }
}
