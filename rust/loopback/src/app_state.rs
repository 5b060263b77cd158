//! The settings a phone shares with its companions, as collections of encrypted patches. The server only keeps and
//! numbers them; the phone can read them, for it made the key.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use wafast_protocol::{
    Error, Result,
    app_state::{self, Collection, Key, LtHash},
    random,
};
use wafast_schema::{
    Message,
    e2e::{
        self, AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyFingerprint, AppStateSyncKeyId,
        AppStateSyncKeyShare, ProtocolMessage, protocol_message,
    },
    server_sync::SyncdPatch,
    sync_action::{SyncActionData, SyncActionValue},
};

use crate::mutation::{Mutation, NAME_COLLECTION};

/// The secret under which patches are encrypted: 6 bytes of id and 32 of key, as a phone makes them.
#[derive(Clone, Serialize, Deserialize)]
struct Secret {
    id: [u8; 6],
    data: [u8; 32],
}

/// One collection: every patch since the first, and the value MAC of each index, to take an overwritten one out of
/// the sum again.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Log {
    patches: Vec<Vec<u8>>,
    macs: HashMap<Vec<u8>, [u8; 32]>,
}

/// All collections of a line.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct AppState {
    secret: Option<Secret>,
    logs: HashMap<String, Log>,
}

/// A setting as the phone reads it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Setting {
    pub collection: String,
    /// As `["mute","60123456789@s.whatsapp.net"]`.
    pub index: String,
    pub removed: bool,
}

impl AppState {
    /// The message by which the phone shares its key with a companion; `now` in Unix seconds.
    pub fn key_share(&mut self, now: u64) -> e2e::Message {
        let secret = self.secret();
        let fingerprint =
            AppStateSyncKeyFingerprint { raw_id: Some(1), current_index: Some(1), device_indexes: vec![0] };
        let key = AppStateSyncKey {
            key_id: Some(AppStateSyncKeyId { key_id: Some(secret.id.to_vec()) }),
            key_data: Some(AppStateSyncKeyData {
                key_data: Some(secret.data.to_vec()),
                fingerprint: Some(fingerprint),
                timestamp: Some(now as i64 * 1000),
            }),
        };
        let protocol = ProtocolMessage {
            r#type: Some(protocol_message::Type::AppStateSyncKeyShare as i32),
            app_state_sync_key_share: Some(AppStateSyncKeyShare { keys: vec![key] }),
            ..Default::default()
        };
        e2e::Message { protocol_message: Some(Box::new(protocol)), ..Default::default() }
    }

    /// The phone sets a value; gives the collection's version since. `now` in Unix seconds.
    ///
    /// # Errors
    /// A patch kept before is damaged.
    pub fn set(&mut self, mutation: Mutation, now: u64) -> Result<u64> {
        let Mutation { collection: name, index, value } = mutation;
        let value = SyncActionValue { timestamp: Some(now as i64 * 1000), ..value };
        let key = self.key();
        let log = self.logs.entry(name.to_owned()).or_default();
        let mut collection = log.collection();
        // a patch overwrites the value at its index, so the sum loses the old one first
        if let Some(previous) = log.mac_at(&key, name, &index) {
            collection.sum.remove(&previous);
        }
        let patch = collection.patch(&key, name, &index, value);
        log.append(patch)?;
        Ok(collection.version)
    }

    /// A companion's patch on top of `version`.
    ///
    /// # Errors
    /// The patch is no protobuf; the text of [`Conflict`] when others came first.
    pub fn accept(&mut self, collection: &str, version: u64, patch: &[u8]) -> Result<Accepted> {
        let log = self.logs.entry(collection.to_owned()).or_default();
        if version != log.patches.len() as u64 {
            return Ok(Accepted::Conflict);
        }
        let next = log.patches.len() as u64 + 1;
        let mut patch = SyncdPatch::decode(patch).map_err(damaged)?;
        // whatsmeow leaves the version out of what it sends; the server numbers it
        patch.version.get_or_insert_default().version = Some(next);
        log.append(patch.encode_to_vec())?;
        Ok(Accepted::Version(next))
    }

    /// Whether a push name was ever set.
    pub fn has_push_name(&self) -> bool {
        self.logs.get(NAME_COLLECTION).is_some_and(|log| !log.patches.is_empty())
    }

    /// The version of a collection, and its patches after `version`.
    pub fn since(&self, collection: &str, version: u64) -> (u64, &[Vec<u8>]) {
        let patches = self.logs.get(collection).map_or(&[][..], |log| &log.patches);
        (patches.len() as u64, &patches[patches.len().min(version as usize)..])
    }

    /// Every mutation the phone can read, in order of each collection.
    pub fn settings(&self) -> Vec<Setting> {
        let Some(key) = self.secret.as_ref().map(|secret| Key::new(&secret.id, &secret.data)) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (name, log) in &self.logs {
            for patch in log.patches.iter().filter_map(|patch| SyncdPatch::decode(patch.as_slice()).ok()) {
                found.extend(read_patch(&key, patch).map(|(data, removed)| Setting {
                    collection: name.clone(),
                    index: String::from_utf8_lossy(data.index()).into_owned(),
                    removed,
                }));
            }
        }
        found
    }

    fn secret(&mut self) -> &Secret {
        self.secret.get_or_insert_with(|| Secret { id: random::bytes(), data: random::bytes() })
    }

    fn key(&mut self) -> Key {
        let secret = self.secret();
        Key::new(&secret.id, &secret.data)
    }
}

/// What became of a companion's patch.
pub enum Accepted {
    Version(u64),
    /// It was made on top of another version.
    Conflict,
}

impl Log {
    fn collection(&self) -> Collection {
        let mut sum = LtHash::default();
        self.macs.values().for_each(|mac| sum.add(mac));
        Collection { version: self.patches.len() as u64, sum }
    }

    /// The value MAC of what was set last at an index.
    fn mac_at(&self, key: &Key, name: &str, index: &str) -> Option<[u8; 32]> {
        let mut probe = Collection::default();
        let patch = probe.patch(key, name, index, SyncActionValue::default());
        let patch = SyncdPatch::decode(patch.as_slice()).ok()?;
        let index = index_and_mac(patch.mutations.first()?)?.0;
        self.macs.get(&index).copied()
    }

    fn append(&mut self, patch: Vec<u8>) -> Result<()> {
        for mutation in SyncdPatch::decode(patch.as_slice()).map_err(damaged)?.mutations {
            let (index, mac) = index_and_mac(&mutation)
                .ok_or_else(|| Error::Malformed { what: "patch", detail: "a mutation without value".to_owned() })?;
            match mutation.operation() as i32 {
                0 => self.macs.insert(index, mac),
                _ => self.macs.remove(&index),
            };
        }
        self.patches.push(patch);
        Ok(())
    }
}

fn index_and_mac(mutation: &wafast_schema::server_sync::SyncdMutation) -> Option<(Vec<u8>, [u8; 32])> {
    let record = mutation.record.as_ref()?;
    let index = record.index.as_ref()?.blob().to_vec();
    let mac = record.value.as_ref()?.blob().last_chunk::<32>()?;
    Some((index, *mac))
}

fn read_patch(key: &Key, patch: SyncdPatch) -> impl Iterator<Item = (SyncActionData, bool)> {
    patch.mutations.into_iter().filter_map(|mutation| {
        let removed = mutation.operation() as i32 != 0;
        let blob = mutation.record?.value?.blob?;
        let data = app_state::open(key, if removed { 2 } else { 1 }, &blob).ok()?;
        Some((data, removed))
    })
}

fn damaged(error: wafast_schema::DecodeError) -> Error {
    Error::Malformed { what: "patch", detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_can_be_set_again_and_only_the_last_counts_in_the_sum() {
        let mut state = AppState::default();
        state.set(Mutation::push_name("First"), 1).unwrap();
        state.set(Mutation::push_name("Second"), 2).unwrap();
        let log = &state.logs[NAME_COLLECTION];
        assert_eq!((log.patches.len(), log.macs.len()), (2, 1));
        let mut sum = LtHash::default();
        log.macs.values().for_each(|mac| sum.add(mac));
        assert!(sum == log.collection().sum);
        assert_eq!(state.settings().len(), 2);
        assert_eq!(state.settings()[1].index, r#"["setting_pushName"]"#);
    }

    #[test]
    fn patches_are_numbered_and_one_made_on_an_old_version_is_a_conflict() {
        let (mut phone, mut server) = (AppState::default(), AppState::default());
        phone.set(Mutation::push_name("Any"), 1).unwrap();
        let patch = phone.since(NAME_COLLECTION, 0).1[0].clone();
        assert!(matches!(server.accept("regular_low", 0, &patch), Ok(Accepted::Version(1))));
        assert!(matches!(server.accept("regular_low", 0, &patch), Ok(Accepted::Conflict)));
        assert_eq!(server.since("regular_low", 0).1.len(), 1);
        assert_eq!(server.since("regular_low", 1), (1, &[][..]));
        assert!(server.accept("regular_low", 1, b"\xff").is_err());
    }
}
