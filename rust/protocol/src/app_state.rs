//! App state: the encrypted settings a phone shares with its companions (whatsmeow `appstate/`). A collection is a set of
//! mutations whose MACs are summed into an LTHash; every patch carries the MAC of the sum after it.

use prost::Message;
use wafast_schema::{
    decode_sync_action, encode_sync_action,
    server_sync::{KeyId, SyncdIndex, SyncdMutation, SyncdPatch, SyncdRecord, SyncdValue, SyncdVersion},
    sync_action::{SyncActionData, SyncActionValue},
};

use crate::{Result, kdf, media, random};

/// A key the phone has shared: its id and what HKDF makes of it.
pub struct Key {
    pub id: Vec<u8>,
    index: [u8; 32],
    cipher: [u8; 32],
    value_mac: [u8; 32],
    snapshot_mac: [u8; 32],
    patch_mac: [u8; 32],
}

impl Key {
    /// Expands the 32 secret bytes `data` of the key called `id`.
    #[must_use]
    pub fn new(id: &[u8], data: &[u8]) -> Self {
        let all: [u8; 160] = kdf::hkdf(data, &[], b"WhatsApp Mutation Keys");
        let part = |n: usize| all[32 * n..32 * (n + 1)].try_into().expect("32 of 160 bytes");
        Self {
            id: id.to_vec(),
            index: part(0),
            cipher: part(1),
            value_mac: part(2),
            snapshot_mac: part(3),
            patch_mac: part(4),
        }
    }

    /// One `SET` mutation: the record, and the MAC that goes into the sum.
    fn seal(&self, index: &str, value: SyncActionValue, version: i32) -> (SyncdMutation, [u8; 32]) {
        let data = SyncActionData {
            index: Some(index.as_bytes().to_vec()),
            value: Some(value),
            padding: Some(Vec::new()),
            version: Some(version),
        };
        let iv: [u8; 16] = random::bytes();
        let mut blob = iv.to_vec();
        blob.extend(media::encrypt_cbc(&self.cipher, &iv, &encode_sync_action(&data)));
        // operation SET is 01; then the key id, the value, and the length of operation and key id as eight bytes
        let length = (self.id.len() as u64 + 1).to_be_bytes();
        let mac = kdf::hmac_sha512(&self.value_mac, &[&[1], &self.id, &blob, &length]);
        let mac: [u8; 32] = mac[..32].try_into().expect("half of 64 bytes");
        blob.extend_from_slice(&mac);
        let record = SyncdRecord {
            index: Some(SyncdIndex { blob: Some(kdf::hmac_sha256(&self.index, &[index.as_bytes()]).to_vec()) }),
            value: Some(SyncdValue { blob: Some(blob) }),
            key_id: Some(KeyId { id: Some(self.id.clone()) }),
        };
        (SyncdMutation { operation: Some(0), record: Some(record) }, mac)
    }
}

/// The sum over a collection's mutations, 64 lanes of 16 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct LtHash(pub [u8; 128]);

impl Default for LtHash {
    fn default() -> Self {
        Self([0; 128])
    }
}

impl LtHash {
    /// Adds a mutation's MAC.
    pub fn add(&mut self, mac: &[u8; 32]) {
        self.merge(mac, u16::wrapping_add);
    }

    /// Takes a mutation's MAC out again.
    pub fn remove(&mut self, mac: &[u8; 32]) {
        self.merge(mac, u16::wrapping_sub);
    }

    fn merge(&mut self, mac: &[u8; 32], operation: fn(u16, u16) -> u16) {
        let wide: [u8; 128] = kdf::hkdf(mac, &[], b"WhatsApp Patch Integrity");
        for (lane, other) in self.0.chunks_exact_mut(2).zip(wide.chunks_exact(2)) {
            let sum = operation(u16::from_le_bytes([lane[0], lane[1]]), u16::from_le_bytes([other[0], other[1]]));
            lane.copy_from_slice(&sum.to_le_bytes());
        }
    }
}

/// A collection as its owner keeps it: version and sum.
#[derive(Clone, Default)]
pub struct Collection {
    pub version: u64,
    pub sum: LtHash,
}

impl Collection {
    /// The next patch of the collection called `name`: one value set at `index` (JSON, as `["setting_pushName"]`).
    pub fn patch(&mut self, key: &Key, name: &str, index: &str, value: SyncActionValue) -> Vec<u8> {
        let (mutation, mac) = key.seal(index, value, 1);
        self.version += 1;
        self.sum.add(&mac);
        let version = self.version.to_be_bytes();
        let snapshot = kdf::hmac_sha256(&key.snapshot_mac, &[&self.sum.0, &version, name.as_bytes()]);
        let patch = kdf::hmac_sha256(&key.patch_mac, &[&snapshot, &mac, &version, name.as_bytes()]);
        SyncdPatch {
            version: Some(SyncdVersion { version: Some(self.version) }),
            mutations: vec![mutation],
            snapshot_mac: Some(snapshot.to_vec()),
            patch_mac: Some(patch.to_vec()),
            key_id: Some(KeyId { id: Some(key.id.clone()) }),
            ..Default::default()
        }
        .encode_to_vec()
    }
}

/// The index and value of one mutation's encrypted value.
///
/// # Errors
/// The MAC does not match `key`, or what is inside is no action.
pub fn open(key: &Key, operation: u8, blob: &[u8]) -> Result<SyncActionData> {
    use crate::Error;
    let (body, mac) = blob.split_last_chunk::<32>().ok_or_else(|| Error::malformed("mutation", "too short"))?;
    let length = (key.id.len() as u64 + 1).to_be_bytes();
    let expected = kdf::hmac_sha512(&key.value_mac, &[&[operation], &key.id, body, &length]);
    if !kdf::same(mac, &expected[..32]) {
        return Err(Error::NotAuthentic("mutation"));
    }
    let (iv, ciphertext) = body.split_first_chunk::<16>().ok_or_else(|| Error::malformed("mutation", "no IV"))?;
    let plaintext = media::decrypt_cbc(&key.cipher, iv, ciphertext)?;
    decode_sync_action(&plaintext).map_err(|error| Error::malformed("mutation", error))
}

#[cfg(test)]
mod tests {
    use wafast_schema::sync_action::PushNameSetting;

    use super::*;

    fn push_name(name: &str) -> SyncActionValue {
        SyncActionValue { push_name_setting: Some(PushNameSetting { name: Some(name.into()) }), ..Default::default() }
    }

    #[test]
    fn a_patch_opens_with_its_key_only() {
        let key = Key::new(b"keyid1", &[3; 32]);
        let patch = Collection::default().patch(&key, "critical_block", r#"["setting_pushName"]"#, push_name("Aisyah"));
        let patch = SyncdPatch::decode(patch.as_slice()).unwrap();
        let blob = patch.mutations[0].record.clone().unwrap().value.unwrap().blob.unwrap();
        let data = open(&key, 1, &blob).unwrap();
        assert_eq!(data.value.unwrap().push_name_setting.unwrap().name(), "Aisyah");
        assert!(open(&Key::new(b"keyid1", &[4; 32]), 1, &blob).is_err());
    }

    #[test]
    fn the_sum_forgets_what_is_taken_out() {
        let mut sum = LtHash::default();
        sum.add(&[1; 32]);
        let one = sum.clone();
        sum.add(&[2; 32]);
        assert!(sum != one);
        sum.remove(&[2; 32]);
        assert!(sum == one);
    }
}
