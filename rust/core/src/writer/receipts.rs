//! Who has got, read and played our messages in groups: a table beside the messages, written only for those.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Error;

use crate::{connection::Database, record::Status};

/// The first instant of each kind stays.
const SAVE: &str = "\
    INSERT INTO receipts AS r (chat_id, key, person, tenant_id, delivered_at, read_at, played_at) \
    SELECT c.id, t.key, t.person, c.tenant_id, to_timestamp(t.delivered), to_timestamp(t.read), to_timestamp(t.played) \
    FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[]) \
        t (chat_id, key, person, delivered, read, played) \
    JOIN chats c ON c.id = t.chat_id ORDER BY t.chat_id, t.key, t.person \
    ON CONFLICT (chat_id, key, person) DO UPDATE SET \
        delivered_at = coalesce(r.delivered_at, excluded.delivered_at), \
        read_at = coalesce(r.read_at, excluded.read_at), played_at = coalesce(r.played_at, excluded.played_at) \
    WHERE (r.delivered_at IS NULL AND excluded.delivered_at IS NOT NULL) \
       OR (r.read_at IS NULL AND excluded.read_at IS NOT NULL) OR (r.played_at IS NULL AND excluded.played_at IS NOT NULL) \
    RETURNING r.chat_id, r.key";
const READ_BY_ALL: &str = "SELECT chat_id, key, tenant_id, device_no, is_last, outbox_id FROM mark_read_by_all($1, $2)";

/// Unix seconds at which one person got, read and played one message.
#[derive(Default)]
struct Instants {
    delivered: Option<i64>,
    read: Option<i64>,
    played: Option<i64>,
}

/// A message that every member of its group has read now.
pub struct ReadByAll {
    pub tenant_id: i32,
    pub device_no: i32,
    /// (chat, key)
    pub message: (i64, i64),
    /// Its chat shows it.
    pub is_last: bool,
    pub outbox_id: Option<i64>,
}

/// Receipts of one batch by (chat, key, person).
#[derive(Default)]
pub struct Receipts(BTreeMap<(i64, i64, i64), Instants>);

impl Receipts {
    /// `status` is how far `person` got with the message at `at`.
    pub fn add(&mut self, message: (i64, i64), person: i64, status: i16, at: i64) {
        let instants = self.0.entry((message.0, message.1, person)).or_default();
        let place = if status >= Status::Played as i16 {
            &mut instants.played
        } else if status == Status::Read as i16 {
            &mut instants.read
        } else {
            &mut instants.delivered
        };
        *place = Some(place.map_or(at, |earlier| earlier.min(at)));
    }

    /// (chat, key) of what somebody has read.
    fn read(&self) -> BTreeSet<(i64, i64)> {
        let has_read = self.0.iter().filter(|(_, instants)| instants.read.is_some() || instants.played.is_some());
        has_read.map(|((chat, key, _), _)| (*chat, *key)).collect()
    }

    /// Chats in which somebody has read something of ours.
    pub fn chats_read(&self) -> BTreeSet<i64> {
        self.read().into_iter().map(|(chat, _)| chat).collect()
    }

    /// Of what somebody has read, that which is read by all now.
    pub async fn mark_read_by_all(&self, database: &Database) -> Result<Vec<ReadByAll>, Error> {
        let (chats, keys): (Vec<i64>, Vec<i64>) = self.read().into_iter().unzip();
        if chats.is_empty() {
            return Ok(Vec::new());
        }
        let rows = database.query(READ_BY_ALL, &[&chats, &keys]).await?;
        let read = rows.iter().map(|row| ReadByAll {
            message: (row.get(0), row.get(1)),
            tenant_id: row.get(2),
            device_no: row.get(3),
            is_last: row.get(4),
            outbox_id: row.get(5),
        });
        Ok(read.collect())
    }

    /// Gives (chat, key) of the messages of which something new is known.
    pub async fn save(&self, database: &Database) -> Result<Vec<(i64, i64)>, Error> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        macro_rules! column {
            ($kind:ty, $value:expr) => {
                &self.0.iter().map($value).collect::<Vec<$kind>>()
            };
        }
        let rows = database
            .query(
                SAVE,
                &[
                    column!(i64, |(place, _)| place.0),
                    column!(i64, |(place, _)| place.1),
                    column!(i64, |(place, _)| place.2),
                    column!(Option<i64>, |(_, instants)| instants.delivered),
                    column!(Option<i64>, |(_, instants)| instants.read),
                    column!(Option<i64>, |(_, instants)| instants.played),
                ],
            )
            .await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}
