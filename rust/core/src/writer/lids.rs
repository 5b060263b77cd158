//! LIDs and the phone numbers they belong to, as each device has learned them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio_postgres::Error;

use super::chats::Owner;
use crate::{
    connection::Database,
    jid::{Jid, Server},
};

const LOAD: &str = "SELECT device_no, lid, number FROM lid_numbers WHERE device_no = ANY ($1)";
const SAVE: &str = "\
    INSERT INTO lid_numbers (tenant_id, device_no, lid, number) SELECT * FROM unnest($1::int4[], $2::int4[], $3::int8[], $4::int8[]) \
    ON CONFLICT (device_no, lid) DO UPDATE SET number = excluded.number";
/// A chat that began under the LID becomes the number's. Where the number has one already, both stay: moving the
/// messages of two chats together needs all their keys.
const RENAME: &str = "\
    UPDATE chats c SET jid = t.number || '@s.whatsapp.net' FROM unnest($1::int4[], $2::int8[], $3::int8[]) t (device_no, lid, number) \
    WHERE c.device_no = t.device_no AND c.jid = t.lid || '@lid' \
      AND NOT EXISTS (SELECT FROM chats o WHERE o.device_no = t.device_no AND o.jid = t.number || '@s.whatsapp.net') \
    RETURNING c.tenant_id, c.device_no, c.id";

/// Pairs (device, LID) and their number.
pub type Pairs = BTreeMap<(i32, i64), i64>;

/// What is committed, loaded on the first touch of a device.
#[derive(Default)]
pub struct Known {
    by_device: HashMap<i32, HashMap<i64, i64>>,
}

impl Known {
    /// Takes in what a transaction has committed.
    pub fn learn(&mut self, pairs: Loaded) {
        for (device_no, pairs) in pairs.devices {
            self.by_device.insert(device_no, pairs);
        }
        for ((device_no, lid), number) in pairs.fresh {
            self.by_device.entry(device_no).or_default().insert(lid, number);
        }
    }

    fn number(&self, device_no: i32, lid: i64) -> Option<i64> {
        self.by_device.get(&device_no)?.get(&lid).copied()
    }
}

/// What one transaction learns, kept only when it commits.
#[derive(Default)]
pub struct Loaded {
    devices: HashMap<i32, HashMap<i64, i64>>,
    fresh: Pairs,
}

/// The map as one transaction sees it.
pub struct Map<'a> {
    known: &'a Known,
    loaded: Loaded,
}

impl<'a> Map<'a> {
    /// Loads what is not known of these devices and stores the new pairs. Gives the chats that got another name too.
    pub async fn open(
        database: &Database,
        known: &'a Known,
        owners: &HashMap<i32, Owner>,
        told: Pairs,
    ) -> Result<(Self, Vec<(i32, i32, i64)>), Error> {
        let mut map = Self { known, loaded: Loaded::default() };
        let missing: Vec<i32> = owners.keys().filter(|no| !known.by_device.contains_key(no)).copied().collect();
        if !missing.is_empty() {
            map.loaded.devices.extend(missing.iter().map(|no| (*no, HashMap::new())));
            for row in database.query(LOAD, &[&missing]).await? {
                map.loaded.devices.entry(row.get(0)).or_default().insert(row.get(1), row.get(2));
            }
        }
        let fresh: Pairs = told
            .into_iter()
            .filter(|((no, lid), number)| owners.contains_key(no) && map.find(*no, *lid) != Some(*number))
            .collect();
        let renamed = map.save(database, owners, &fresh).await?;
        map.loaded.fresh = fresh;
        Ok((map, renamed))
    }

    async fn save(
        &self,
        database: &Database,
        owners: &HashMap<i32, Owner>,
        fresh: &Pairs,
    ) -> Result<Vec<(i32, i32, i64)>, Error> {
        if fresh.is_empty() {
            return Ok(Vec::new());
        }
        let tenants: Vec<i32> = fresh.keys().map(|(no, _)| owners[no].tenant_id).collect();
        let devices: Vec<i32> = fresh.keys().map(|(no, _)| *no).collect();
        let lids: Vec<i64> = fresh.keys().map(|(_, lid)| *lid).collect();
        let numbers: Vec<i64> = fresh.values().copied().collect();
        database.query(SAVE, &[&tenants, &devices, &lids, &numbers]).await?;
        let renamed = database.query(RENAME, &[&devices, &lids, &numbers]).await?;
        Ok(renamed.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect())
    }

    fn find(&self, device_no: i32, lid: i64) -> Option<i64> {
        let fresh = self.loaded.fresh.get(&(device_no, lid)).copied();
        fresh
            .or_else(|| self.loaded.devices.get(&device_no)?.get(&lid).copied())
            .or_else(|| self.known.number(device_no, lid))
    }

    /// The phone-number JID of a person when it is known, else the JID as it is.
    #[must_use]
    pub fn resolve(&self, owner: &Owner, jid: &Jid) -> Jid {
        if !jid.is_lid() {
            return jid.clone();
        }
        if owner.lid.as_ref() == Some(jid) {
            return owner.jid.clone().unwrap_or_else(|| jid.clone());
        }
        match jid.number().and_then(|lid| self.find(owner.device_no, lid)) {
            Some(number) => Jid { user: number.to_string(), server: Server::Phone },
            None => jid.clone(),
        }
    }

    #[must_use]
    pub fn into_loaded(self) -> Loaded {
        self.loaded
    }
}

/// All pairs that a batch tells.
#[must_use]
pub fn told(pairs: impl Iterator<Item = (i32, i64, i64)>) -> Pairs {
    let mut seen = BTreeSet::new();
    pairs.filter(|pair| seen.insert(*pair)).map(|(no, lid, number)| ((no, lid), number)).collect()
}
