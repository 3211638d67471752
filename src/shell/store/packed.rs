//! The packed form of what a store holds: LZ4 against a dictionary of objects of the same kind.
//!
//! Records of one kind say mostly the same: keys, conditions, sentences, labels. What is left when that is taken
//! out is names, UIDs, times and digests. The dictionary is made of what comes in: an object that does not pack
//! well is added to it, up to the reach of LZ4. Nothing is ever taken out, so what was packed before stays good.

use std::sync::Arc;

/// Bytes of the dictionary at most. LZ4 looks back 64 KiB, from the end of the object.
const REACH: usize = 40 * 1024;

/// An object that packs to more than one part in so many is added to the dictionary.
const WELL: usize = 8;

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

impl Packed {
    /// Its length as it is held.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }
}

impl Dictionary {
    /// Its length.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Packs an object.
    pub(super) fn pack(&mut self, object: &[u8]) -> Packed {
        let packed = self.against(object);
        if packed.bytes.len() * WELL < object.len() || self.0.len() + object.len() > REACH {
            return packed;
        }
        let all = Arc::make_mut(&mut self.0);
        all.reserve_exact(object.len());
        all.extend_from_slice(object);
        self.against(object)
    }

    fn against(&self, object: &[u8]) -> Packed {
        Packed {
            bytes: lz4_flex::block::compress_with_dict(object, &self.0).into(),
            length: u32::try_from(object.len()).unwrap_or(u32::MAX),
            dictionary: u32::try_from(self.0.len()).unwrap_or(u32::MAX),
        }
    }

    /// Unpacks what was packed here.
    pub(super) fn unpack(&self, packed: &Packed) -> Vec<u8> {
        let dictionary = &self.0[..packed.dictionary as usize];
        lz4_flex::block::decompress_with_dict(&packed.bytes, packed.length as usize, dictionary)
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
            let mut dictionary = Dictionary::default();
            let packed: Vec<Packed> = objects.iter().map(|o| dictionary.pack(o.as_bytes())).collect();
            for (object, packed) in objects.iter().zip(&packed) {
                prop_assert_eq!(dictionary.unpack(packed), object.as_bytes());
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
        let mut dictionary = Dictionary::default();
        dictionary.pack(object(1).as_bytes());
        let second = dictionary.pack(object(2).as_bytes());
        assert!(second.bytes.len() < 80, "{} of {}", second.bytes.len(), second.length);
    }
}
