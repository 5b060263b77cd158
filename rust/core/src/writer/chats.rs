//! Chat rows: locked, counted in memory, written back in one statement.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio_postgres::Error;

use super::messages::Row;
use crate::{
    connection::Database,
    jid::Jid,
    record::{ChatInfo, flag},
    text,
};

/// Deleting a device takes the same rows, so that nothing is stored for one that is gone.
const OWNERS: &str = "SELECT no, tenant_id, jid, lid FROM devices WHERE no = ANY ($1) FOR KEY SHARE";
/// Locked in the order of their ids, as everybody does who locks several.
const LOCK: &str = "\
    SELECT c.id, c.device_no, c.jid, c.name, c.last_key, c.last_kind, c.last_flags, c.last_text, c.last_sender, c.last_status, \
           c.unread, c.read_key, c.stored, c.floor_key \
    FROM chats c JOIN unnest($1::int4[], $2::text[]) t (device_no, jid) ON c.device_no = t.device_no AND c.jid = t.jid \
    ORDER BY c.id FOR NO KEY UPDATE OF c";
const CREATE: &str = "\
    INSERT INTO chats (tenant_id, device_no, jid, is_group) SELECT * FROM unnest($1::int4[], $2::int4[], $3::text[], $4::bool[]) \
    ON CONFLICT (device_no, jid) DO NOTHING";
const SAVE: &str = "\
    UPDATE chats c SET name = t.name, last_key = t.last_key, last_kind = t.last_kind, last_flags = t.last_flags, \
        last_text = t.last_text, last_sender = t.last_sender, last_status = t.last_status, unread = t.unread, \
        read_key = t.read_key, stored = t.stored \
    FROM unnest($1::int8[], $2::text[], $3::int8[], $4::int2[], $5::int2[], $6::text[], $7::text[], $8::int2[], $9::int4[], \
                $10::int8[], $11::int4[]) \
        t (id, name, last_key, last_kind, last_flags, last_text, last_sender, last_status, unread, read_key, stored) \
    WHERE c.id = t.id";
const SETTINGS: &str = "\
    UPDATE chats c SET archived = t.archived, pinned_at = to_timestamp(nullif(t.pinned_at, 0)), \
        muted_until = to_timestamp(nullif(t.muted_until, 0)) \
    FROM unnest($1::int8[], $2::bool[], $3::int8[], $4::int8[]) t (id, archived, pinned_at, muted_until) WHERE c.id = t.id";
const RAISE_FLOOR: &str = "\
    UPDATE chats c SET floor_key = f.key \
    FROM unnest($1::int8[]) t (id), \
         LATERAL (SELECT m.key FROM messages m WHERE m.chat_id = t.id ORDER BY m.key DESC OFFSET $2 LIMIT 1) f \
    WHERE c.id = t.id AND f.key > c.floor_key";
const TRIM: &str = "\
    WITH gone AS (DELETE FROM messages m USING chats c WHERE c.id = ANY ($1) AND m.chat_id = c.id AND m.key <= c.floor_key \
                  RETURNING m.chat_id), \
         pictures AS (DELETE FROM thumbnails p USING chats c WHERE c.id = ANY ($1) AND p.chat_id = c.id AND p.key <= c.floor_key) \
    UPDATE chats c SET stored = c.stored - g.count \
    FROM (SELECT chat_id, count(*)::int4 AS count FROM gone GROUP BY chat_id) g WHERE c.id = g.chat_id";
/// Characters of a preview; the column's comment has the same number.
const PREVIEW: usize = 200;

/// A device's row, as far as messages need it.
pub struct Owner {
    pub device_no: i32,
    pub tenant_id: i32,
    pub jid: Option<Jid>,
    pub lid: Option<Jid>,
}

/// The devices that exist, locked against deletion.
pub async fn owners(database: &Database, devices: &BTreeSet<i32>) -> Result<HashMap<i32, Owner>, Error> {
    let devices: Vec<i32> = devices.iter().copied().collect();
    let rows = database.query(OWNERS, &[&devices]).await?;
    let owner = |row: &tokio_postgres::Row| {
        let jid = |index| row.get::<_, Option<&str>>(index).and_then(Jid::parse);
        Owner { device_no: row.get(0), tenant_id: row.get(1), jid: jid(2), lid: jid(3) }
    };
    Ok(rows.iter().map(owner).map(|owner| (owner.device_no, owner)).collect())
}

/// A chat's row, changed here and written back by [`Chats::save`].
pub struct Chat {
    pub id: i64,
    pub device_no: i32,
    pub jid: String,
    pub name: Option<String>,
    pub last_key: Option<i64>,
    last_kind: Option<i16>,
    last_flags: Option<i16>,
    last_text: Option<String>,
    last_sender: Option<String>,
    last_status: Option<i16>,
    pub unread: i32,
    pub read_key: Option<i64>,
    pub stored: i32,
    pub floor_key: i64,
    /// Something in it is new.
    pub is_changed: bool,
}

impl Chat {
    /// Counts a message that was inserted.
    pub fn count(&mut self, row: &Row) {
        self.is_changed = true;
        self.stored += 1;
        let from_me = row.flags & flag::FROM_ME != 0;
        if !from_me && !row.is_history && self.read_key.is_none_or(|read| row.key > read) {
            self.unread += 1;
        }
        if self.name.is_none() && !from_me && !self.jid.ends_with("@g.us") {
            self.name.clone_from(&row.sender_name);
        }
        if self.last_key.is_none_or(|last| row.key >= last) {
            self.last_key = Some(row.key);
            self.last_kind = Some(row.kind);
            self.last_flags = Some(row.flags);
            self.last_text = Some(text::preview(&row.body, PREVIEW));
            self.last_sender.clone_from(&row.sender_name);
            self.last_status = Some(row.status);
        }
    }

    /// Its newest message changed.
    pub fn repeat(&mut self, kind: i16, flags: i16, body: &str, status: i16) {
        self.is_changed = true;
        self.last_kind = Some(kind);
        self.last_flags = Some(flags);
        self.last_text = Some(text::preview(body, PREVIEW));
        self.last_status = Some(status);
    }

    /// The name by which the phone or the group itself knows it.
    pub fn rename(&mut self, name: &str) {
        if self.name.as_deref() != Some(name) {
            self.name = Some(name.to_owned());
            self.is_changed = true;
        }
    }
}

/// All chats of a batch.
#[derive(Default)]
pub struct Chats {
    by_jid: HashMap<(i32, String), i64>,
    by_id: BTreeMap<i64, Chat>,
}

impl Chats {
    /// Locks the chats of `wanted` (device, JID). Those not there are made, unless `wanted` says that they need not be.
    pub async fn lock(
        database: &Database,
        owners: &HashMap<i32, Owner>,
        wanted: &BTreeMap<(i32, String), bool>,
    ) -> Result<Self, Error> {
        let mut chats = Self::default();
        chats.load(database, wanted.keys()).await?;
        let missing: Vec<&(i32, String)> = wanted
            .iter()
            .filter(|(chat, is_needed)| **is_needed && !chats.by_jid.contains_key(chat))
            .map(|(chat, _)| chat)
            .collect();
        if !missing.is_empty() {
            let tenants: Vec<i32> = missing.iter().map(|(no, _)| owners[no].tenant_id).collect();
            let devices: Vec<i32> = missing.iter().map(|(no, _)| *no).collect();
            let jids: Vec<&str> = missing.iter().map(|(_, jid)| jid.as_str()).collect();
            let groups: Vec<bool> = missing.iter().map(|(_, jid)| jid.ends_with("@g.us")).collect();
            database.query(CREATE, &[&tenants, &devices, &jids, &groups]).await?;
            chats.load(database, missing.into_iter()).await?;
        }
        Ok(chats)
    }

    async fn load(&mut self, database: &Database, chats: impl Iterator<Item = &(i32, String)>) -> Result<(), Error> {
        let (devices, jids): (Vec<i32>, Vec<&str>) = chats.map(|(no, jid)| (*no, jid.as_str())).unzip();
        if devices.is_empty() {
            return Ok(());
        }
        for row in database.query(LOCK, &[&devices, &jids]).await? {
            let chat = Chat {
                id: row.get(0),
                device_no: row.get(1),
                jid: row.get(2),
                name: row.get(3),
                last_key: row.get(4),
                last_kind: row.get(5),
                last_flags: row.get(6),
                last_text: row.get(7),
                last_sender: row.get(8),
                last_status: row.get(9),
                unread: row.get(10),
                read_key: row.get(11),
                stored: row.get(12),
                floor_key: row.get(13),
                is_changed: false,
            };
            self.by_jid.insert((chat.device_no, chat.jid.clone()), chat.id);
            self.by_id.insert(chat.id, chat);
        }
        Ok(())
    }

    /// The chat of a device with this JID.
    #[must_use]
    pub fn find(&self, device_no: i32, jid: &Jid) -> Option<i64> {
        self.by_jid.get(&(device_no, jid.to_string())).copied()
    }

    pub fn get(&mut self, id: i64) -> Option<&mut Chat> {
        self.by_id.get_mut(&id)
    }

    /// Those with something new.
    pub fn changed(&self) -> impl Iterator<Item = &Chat> {
        self.by_id.values().filter(|chat| chat.is_changed)
    }

    /// Writes all changed rows back, and trims those that hold twice what is kept.
    pub async fn save(&self, database: &Database, keep: i64) -> Result<(), Error> {
        let chats: Vec<&Chat> = self.changed().collect();
        if chats.is_empty() {
            return Ok(());
        }
        macro_rules! column {
            ($($field:ident).+ : $kind:ty) => { &chats.iter().map(|chat| chat.$($field).+.clone()).collect::<Vec<$kind>>() };
        }
        database
            .query(
                SAVE,
                &[
                    column!(id: i64),
                    column!(name: Option<String>),
                    column!(last_key: Option<i64>),
                    column!(last_kind: Option<i16>),
                    column!(last_flags: Option<i16>),
                    column!(last_text: Option<String>),
                    column!(last_sender: Option<String>),
                    column!(last_status: Option<i16>),
                    column!(unread: i32),
                    column!(read_key: Option<i64>),
                    column!(stored: i32),
                ],
            )
            .await?;
        let holding = |count: i64| -> Vec<i64> {
            chats.iter().filter(|chat| i64::from(chat.stored) >= count).map(|chat| chat.id).collect()
        };
        if keep > 0 {
            let over = holding(keep + 1);
            if !over.is_empty() {
                database.query(RAISE_FLOOR, &[&over, &keep]).await?;
            }
            let full = holding(keep * 2);
            if !full.is_empty() {
                database.query(TRIM, &[&full]).await?;
            }
        }
        Ok(())
    }
}

/// Archived, pinned and muted as the phone has it.
pub async fn save_settings(database: &Database, settings: &[(i64, &ChatInfo)]) -> Result<(), Error> {
    if settings.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = settings.iter().map(|(id, _)| *id).collect();
    let archived: Vec<bool> = settings.iter().map(|(_, info)| info.archived).collect();
    let pinned: Vec<i64> = settings.iter().map(|(_, info)| info.pinned_at).collect();
    let muted: Vec<i64> = settings.iter().map(|(_, info)| info.muted_until).collect();
    database.query(SETTINGS, &[&ids, &archived, &pinned, &muted]).await.map(drop)
}
