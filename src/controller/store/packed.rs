//! The packed form of what a store holds: zstd against a dictionary of objects of the same kind.
//!
//! Records of one kind say mostly the same: keys, conditions, sentences, labels. What is left when that is taken
//! out is names, UIDs, times and digests. The dictionary is made of what comes in: an object that does not pack
//! well is added to it, up to its reach. Nothing is ever taken out, so what was packed before stays good
//! (`docs/decisions/0035-what-is-not-worked-on-is-held-packed.md`).

use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use zstd::bulk::{Compressor, Decompressor};

/// Bytes of the dictionary at most.
const REACH: usize = 24 * 1024;

/// An object that packs to more than one part in so many is added to the dictionary.
const WELL: usize = 6;

/// zstd's level: the quickest but those that give up on size. A higher one hardly packs better against a dictionary.
const LEVEL: i32 = 1;

/// A packed object.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    bytes: Box<[u8]>,
    /// Its length unpacked.
    length: u32,
    /// How much of the dictionary there was.
    dictionary: u32,
}

/// What objects of one kind have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Dictionary(Arc<Vec<u8>>);

/// What packs the objects of one kind.
#[derive(Default)]
pub(super) struct Packer {
    dictionary: Dictionary,
    /// zstd's memory and its tables of the dictionary, some hundred KiB: there while there is something to pack.
    ready: Option<Compressor<'static>>,
}

/// zstd's memory to unpack with: one for all stores, for it is 100 KiB, and an object takes some microseconds.
static UNPACKER: LazyLock<Mutex<Decompressor<'static>>> = LazyLock::new(Mutex::default);

impl Packed {
    /// Its length as it is held.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packer").field("dictionary", &self.dictionary.len()).finish_non_exhaustive()
    }
}

impl Packer {
    /// What it packs against.
    pub(super) fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// Packs an object.
    pub(super) fn pack(&mut self, object: &[u8]) -> Packed {
        let packed = self.against(object);
        if packed.len() * WELL < object.len() || self.dictionary.len() + object.len() > REACH {
            return packed;
        }
        let all = Arc::make_mut(&mut self.dictionary.0);
        all.reserve_exact(object.len());
        all.extend_from_slice(object);
        self.ready = None;
        self.against(object)
    }

    /// Gives back what it packs with; what is packed next makes it anew, which takes some hundred microseconds.
    pub(super) fn rest(&mut self) {
        self.ready = None;
    }

    fn against(&mut self, object: &[u8]) -> Packed {
        let dictionary = &self.dictionary;
        let ready = self.ready.get_or_insert_with(|| dictionary.compressor());
        Packed {
            bytes: ready.compress(object).expect("zstd packs whatever there is memory for").into(),
            length: u32::try_from(object.len()).unwrap_or(u32::MAX),
            dictionary: u32::try_from(dictionary.len()).unwrap_or(u32::MAX),
        }
    }
}

impl Dictionary {
    /// Its length.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// What packs against it. Lengths and dictionary are noted beside what is packed, not in it.
    fn compressor(&self) -> Compressor<'static> {
        let prepared = Compressor::with_dictionary(LEVEL, &self.0).and_then(|mut compressor| {
            compressor.include_contentsize(false)?;
            compressor.include_dictid(false)?;
            Ok(compressor)
        });
        prepared.expect("zstd takes any bytes as a dictionary")
    }

    /// Unpacks what was packed against it, or against the beginning of it.
    pub(super) fn unpack(&self, packed: &Packed) -> Vec<u8> {
        let mut unpacker = UNPACKER.lock().unwrap_or_else(PoisonError::into_inner);
        unpacker
            .set_dictionary(&self.0[..packed.dictionary as usize])
            .and_then(|()| unpacker.decompress(&packed.bytes, packed.length as usize))
            .expect("what was packed in this memory unpacks from it")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn everything_unpacks_to_what_it_was(objects in prop::collection::vec("\\PC{0,300}", 1..40)) {
            let mut packer = Packer::default();
            let mut packed = Vec::new();
            for (at, object) in objects.iter().enumerate() {
                packed.push(packer.pack(object.as_bytes()));
                if at % 3 == 0 {
                    packer.rest();
                }
            }
            for (object, packed) in objects.iter().zip(&packed) {
                prop_assert_eq!(packer.dictionary().unpack(packed), object.as_bytes());
            }
        }
    }

    #[test]
    fn the_second_of_a_kind_is_little_more_than_what_is_its_own() {
        let object = |i: u64| {
            format!(
                r#"{{"metadata":{{"name":"app-{i:05}","uid":"{:016x}"}},"status":{{"conditions":[{}]}}}}"#,
                i.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                r#"{"type":"Ready","reason":"Active","message":"已按批准内容开通 / what was approved is in force"},"#.repeat(4)
            )
        };
        let mut packer = Packer::default();
        packer.pack(object(1).as_bytes());
        let second = packer.pack(object(2).as_bytes());
        assert!(second.bytes.len() < 80, "{} of {}", second.bytes.len(), second.length);
    }
}
