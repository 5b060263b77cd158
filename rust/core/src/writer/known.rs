//! What a writer knows without asking: owners, numbers behind LIDs, and the chats it has written to with their keys.
//!
//! All of it can be loaded again. A transaction takes it and gives it back when it has committed; one that failed lets it
//! fall, so that what is known is never ahead of the database.

use std::{
    collections::HashSet,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rustc_hash::FxHashMap;
use tokio_postgres::Error;

use crate::{
    connection::Database,
    jid::{Jid, Server},
};

/// Other processes change a device's identity, when it is paired: what is older is asked again.
const OWNER_AGE: Duration = Duration::from_secs(2);
/// Chats in memory: 300 bytes each with twenty keys.
const MAX_CHATS: usize = 100_000;
/// LIDs in memory, 17 bytes each, of all lines.
const MAX_LIDS: usize = 1_000_000;

const OWNERS: &str = "SELECT no, tenant_id, jid, lid FROM devices WHERE no = ANY ($1)";
/// A LID whose chat still stands beside the number's, as a line's that took over from another may, is not known: when its
/// number is told again, the two become one.
const LIDS: &str = "\
    SELECT l.device_no, l.lid, l.number FROM lid_numbers l WHERE l.device_no = ANY ($1) \
      AND NOT EXISTS (SELECT FROM chats c WHERE c.device_no = l.device_no AND c.jid = l.lid || '@lid')";
/// A key costs a look at its row, which may be anywhere: only those above the floor are asked for, the newest `$3` of them.
const CHATS: &str = "\
    SELECT c.device_no, c.jid, c.id, c.floor_key, \
           ARRAY (SELECT m.key FROM messages m WHERE m.chat_id = c.id AND m.key > c.floor_key ORDER BY m.key DESC LIMIT $3), \
           EXISTS (SELECT FROM pending_changes p WHERE p.chat_id = c.id), c.name IS NULL, c.stored, c.thinned \
    FROM chats c JOIN unnest($1::int4[], $2::text[]) t (device_no, jid) ON c.device_no = t.device_no AND c.jid = t.jid";
/// Devices that are gone get none.
const CREATE: &str = "\
    INSERT INTO chats (tenant_id, device_no, jid, is_group) \
    SELECT d.tenant_id, d.no, t.jid, t.jid LIKE '%@g.us' \
    FROM unnest($1::int4[], $2::text[]) t (device_no, jid) JOIN devices d ON d.no = t.device_no FOR KEY SHARE OF d \
    ON CONFLICT (device_no, jid) DO NOTHING";

/// A device's row, as far as messages need it.
pub struct Owner {
    pub device_no: i32,
    pub tenant_id: i32,
    pub jid: Option<Jid>,
    pub lid: Option<Jid>,
    asked: Instant,
}

/// A chat's row, as far as new messages need it.
pub struct Chat {
    /// Device and JID.
    place: (i32, Jid),
    pub floor_key: i64,
    /// The floor at the last deletion: no row is left at or below it.
    pub trimmed_key: i64,
    /// Of its rows above the floor, ascending; where all are kept, of the newest.
    pub keys: Vec<i64>,
    /// Keys that were trimmed out of the oldest second that is kept.
    pub thinned: Vec<i64>,
    /// Its rows, with those at and below the floor that are not deleted yet.
    pub stored: i32,
    /// Changes may wait for messages that are still to come.
    pub has_waiting: bool,
    /// The batch that last touched it.
    used: u64,
}

/// An id that comes again with another time does so among the newest.
const LOOK_BACK: usize = 1_000;

impl Chat {
    /// Whether it has this key.
    #[must_use]
    pub fn has(&self, key: i64) -> bool {
        self.keys.binary_search(&key).is_ok()
    }

    /// Whether it has this key, or one of its newest messages may have the id that the key was made of, with another time.
    #[must_use]
    pub fn may_have(&self, key: i64) -> bool {
        const HASH: i64 = 0xffff_ffff;
        self.keys.iter().rev().take(LOOK_BACK).any(|other| other & HASH == key & HASH) || self.has(key)
    }

    /// Whether a message with this key is trimmed, or would be at once: it is older than the newest `keep`.
    #[must_use]
    pub fn is_past(&self, key: i64, keep: usize) -> bool {
        let oldest = self.keys.len().checked_sub(keep).filter(|_| keep > 0).map(|place| self.keys[place]);
        key <= self.floor_key || oldest.is_some_and(|oldest| key >> 32 < oldest >> 32) || self.thinned.contains(&key)
    }

    /// Takes in the key of a message that is being stored.
    pub fn add(&mut self, key: i64) {
        let place = self.keys.partition_point(|other| *other < key);
        self.keys.insert(place, key);
        self.stored += 1;
    }

    /// Takes out the key of a message whose second is kept in part; nothing is known any more of older seconds.
    pub fn thin_out(&mut self, key: i64) {
        self.stored -= 1;
        self.keys.retain(|kept| *kept != key);
        self.thinned.retain(|gone| gone >> 32 >= key >> 32);
        self.thinned.push(key);
    }

    /// Leaves the newest `keep` above the floor, or all where it is 0.
    pub fn raise_floor(&mut self, keep: usize) {
        let gone = self.keys.len().saturating_sub(keep);
        if keep > 0 && gone > 0 {
            self.floor_key = self.keys[gone - 1];
            self.keys.drain(..gone);
        } else if self.keys.len() > 2 * LOOK_BACK {
            self.keys.drain(..LOOK_BACK);
        }
    }
}

/// The numbers of a device's LIDs.
#[derive(Default)]
struct Lids {
    numbers: FxHashMap<i64, i64>,
    /// The batch that last asked.
    used: u64,
}

/// See the module.
#[derive(Default)]
pub struct Known {
    owners: FxHashMap<i32, Owner>,
    lids: FxHashMap<i32, Lids>,
    ids: FxHashMap<(i32, Jid), i64>,
    chats: FxHashMap<i64, Chat>,
    /// Chats whose name was not there when they were loaded, which is once.
    nameless: Vec<(i32, Jid)>,
    /// Chats to ask anew in the next batch.
    doubtful: HashSet<i64>,
    /// Messages kept of a chat; 0: all.
    pub keep: usize,
    batch: u64,
    /// The last `created_at`, microseconds since 1970.
    clock: i64,
}

impl Known {
    /// Begins a batch: asks for what is not known of these devices, and forgets chats that were not needed for long.
    pub async fn open(&mut self, database: &Database, devices: &[i32], keep: usize) -> Result<(), Error> {
        self.keep = keep;
        self.batch += 1;
        let now =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros().try_into().unwrap_or(0));
        self.clock = self.clock.max(now);
        let doubtful = std::mem::take(&mut self.doubtful);
        self.forget_chats(doubtful);
        self.shed();
        let stale = |no: &&i32| self.owners.get(no).is_none_or(|owner| owner.asked.elapsed() > OWNER_AGE);
        let stale: Vec<i32> = devices.iter().filter(stale).copied().collect();
        if !stale.is_empty() {
            self.load_owners(database, &stale).await?;
        }
        let missing: Vec<i32> = devices.iter().filter(|no| !self.lids.contains_key(no)).copied().collect();
        if !missing.is_empty() {
            for row in database.query(LIDS, &[&missing]).await? {
                self.learn(row.get(0), row.get(1), row.get(2));
            }
        }
        // also where there are none, which is known from now on
        for no in devices {
            self.lids.entry(*no).or_default().used = self.batch;
        }
        Ok(())
    }

    async fn load_owners(&mut self, database: &Database, devices: &[i32]) -> Result<(), Error> {
        let asked = Instant::now();
        for no in devices {
            self.owners.remove(no);
        }
        for row in database.query(OWNERS, &[&devices]).await? {
            let jid = |index| row.get::<_, Option<&str>>(index).and_then(Jid::parse);
            let owner = Owner { device_no: row.get(0), tenant_id: row.get(1), jid: jid(2), lid: jid(3), asked };
            self.owners.insert(owner.device_no, owner);
        }
        Ok(())
    }

    /// An instant of storing that none had before it: when the batch began, or just after the last.
    pub fn tick(&mut self) -> i64 {
        self.clock += 1;
        self.clock
    }

    /// A device that is there.
    #[must_use]
    pub fn owner(&self, device_no: i32) -> Option<&Owner> {
        self.owners.get(&device_no)
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
        match jid.number().and_then(|lid| self.number_of(owner.device_no, lid)) {
            Some(number) => Jid::of_number(number),
            None => jid.clone(),
        }
    }

    /// The number of a device's LID.
    pub fn number_of(&self, device_no: i32, lid: i64) -> Option<i64> {
        self.lids.get(&device_no)?.numbers.get(&lid).copied()
    }

    /// Takes in which number a device's LID has.
    pub fn learn(&mut self, device_no: i32, lid: i64, number: i64) {
        self.lids.entry(device_no).or_default().numbers.insert(lid, number);
    }

    /// All JIDs of a person, as far as they are known.
    #[must_use]
    pub fn names(&self, owner: &Owner, jid: &Jid) -> Vec<String> {
        let mut names = vec![jid.to_string()];
        if owner.jid.as_ref() == Some(jid) || owner.lid.as_ref() == Some(jid) {
            names.extend([&owner.jid, &owner.lid].into_iter().flatten().map(ToString::to_string));
        }
        let lids = self.lids.get(&owner.device_no).into_iter().flat_map(|lids| &lids.numbers);
        let of_them = lids.filter(|(_, number)| jid.server == Server::Phone && jid.number() == Some(**number));
        names.extend(of_them.map(|(lid, _)| Jid::of_lid(*lid).to_string()));
        names
    }

    /// Loads those of these chats that are not known; `create` makes the ones that are not there.
    pub async fn load_chats(
        &mut self,
        database: &Database,
        wanted: &HashSet<(i32, Jid)>,
        create: bool,
    ) -> Result<(), Error> {
        let missing = self.missing(wanted);
        if missing.is_empty() {
            return Ok(());
        }
        self.load(database, &missing).await?;
        let missing = self.missing(wanted);
        if create && !missing.is_empty() {
            let (devices, jids): (Vec<i32>, Vec<&str>) = missing.iter().map(|(no, jid)| (*no, jid.as_str())).unzip();
            database.query(CREATE, &[&devices, &jids]).await?;
            self.load(database, &missing).await?;
        }
        Ok(())
    }

    fn missing(&self, wanted: &HashSet<(i32, Jid)>) -> Vec<(i32, String)> {
        let unknown = wanted.iter().filter(|chat| !self.ids.contains_key(*chat));
        unknown.map(|(no, jid)| (*no, jid.to_string())).collect()
    }

    async fn load(&mut self, database: &Database, chats: &[(i32, String)]) -> Result<(), Error> {
        let (devices, jids): (Vec<i32>, Vec<&str>) = chats.iter().map(|(no, jid)| (*no, jid.as_str())).unzip();
        // Where all are kept, a chat may have any number.
        let most = (self.keep == 0).then_some(LOOK_BACK as i64);
        for row in database.query(CHATS, &[&devices, &jids, &most]).await? {
            let Some(jid) = Jid::parse(row.get(1)) else { continue };
            let id = row.get(2);
            if row.get(6) {
                self.nameless.push((row.get(0), jid.clone()));
            }
            let (floor_key, mut keys, has_waiting): (_, Vec<i64>, _) = (row.get(3), row.get(4), row.get(5));
            keys.reverse();
            let place = (row.get(0), jid);
            self.ids.insert(place.clone(), id);
            let (stored, thinned) = (row.get(7), row.get::<_, Option<_>>(8).unwrap_or_default());
            let (trimmed_key, used) = (i64::MIN, self.batch);
            self.chats.insert(id, Chat { place, floor_key, trimmed_key, keys, thinned, stored, has_waiting, used });
        }
        Ok(())
    }

    /// Chats that were loaded without a name since the last call; their batch may have named them meanwhile.
    pub fn take_nameless(&mut self) -> Vec<(i32, Jid)> {
        std::mem::take(&mut self.nameless)
    }

    /// The id of a chat that was loaded.
    #[must_use]
    pub fn find(&self, chat: &(i32, Jid)) -> Option<i64> {
        self.ids.get(chat).copied()
    }

    /// A chat that was loaded, for this batch.
    pub fn chat(&mut self, id: i64) -> Option<&mut Chat> {
        let chat = self.chats.get_mut(&id)?;
        chat.used = self.batch;
        Some(chat)
    }

    /// Knows nothing of a device any more: another writer has written to its chats.
    pub fn forget_device(&mut self, device_no: i32) {
        self.owners.remove(&device_no);
        self.lids.remove(&device_no);
        self.ids.retain(|(no, _), _| *no != device_no);
        self.chats.retain(|_, chat| chat.place.0 != device_no);
    }

    /// Lets chats be asked anew in the next batch: the rest of this one still needs to find them.
    pub fn doubt_chats(&mut self, ids: impl IntoIterator<Item = i64>) {
        self.doubtful.extend(ids);
    }

    /// Lets chats be asked anew.
    pub fn forget_chats(&mut self, ids: impl IntoIterator<Item = i64>) {
        for id in ids {
            if let Some(chat) = self.chats.remove(&id) {
                self.ids.remove(&chat.place);
            }
        }
    }

    /// Half of the chats, and of the lines whose LIDs are known, those that were not needed for longest, when they are too
    /// many; no LIDs that the last batch needed, as the next would ask for all of them again.
    fn shed(&mut self) {
        if self.lids.values().map(|lids| lids.numbers.len()).sum::<usize>() > MAX_LIDS {
            let median = median(self.lids.values().map(|lids| lids.used));
            self.lids.retain(|_, lids| lids.used > median || lids.used + 1 == self.batch);
        }
        if self.chats.len() > MAX_CHATS {
            let median = median(self.chats.values().map(|chat| chat.used));
            self.chats.retain(|_, chat| chat.used > median);
            self.ids.retain(|_, id| self.chats.contains_key(id));
        }
    }
}

fn median(used: impl Iterator<Item = u64>) -> u64 {
    let mut used: Vec<u64> = used.collect();
    let middle = used.len() / 2;
    *used.select_nth_unstable(middle).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_lids_those_stay_that_the_last_batch_needed() {
        let mut known = Known { batch: 8, ..Known::default() };
        let many: FxHashMap<i64, i64> = (0..400_000).map(|lid| (lid, lid)).collect();
        for (device_no, used) in [(1, 7), (2, 7), (3, 5)] {
            known.lids.insert(device_no, Lids { numbers: many.clone(), used });
        }
        known.shed();
        let mut left: Vec<i32> = known.lids.keys().copied().collect();
        left.sort_unstable();
        assert_eq!(left, [1, 2]);
    }
}
