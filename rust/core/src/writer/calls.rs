//! One row a call. A call's end and the phone's log have the call's own id, its chat tells of it under a message's: what is
//! stored first is the row, and notes the other's id.

use std::collections::{BTreeSet, HashSet};

use tokio_postgres::Error;

use crate::{
    call::Told,
    connection::Database,
    record::{Carried, Message},
};

/// Seconds between what a chat and the log say of when a call began.
const SAME_CALL: i64 = 5;
/// Seconds that a call rings at the most: until then it is answered, refused or missed, and for us it is over.
const RINGS: i64 = 90;

const THERE: &str = "\
    SELECT DISTINCT ON (m.chat_id, m.created_at, m.key) m.chat_id, m.message_id, m.key, m.media ->> 'told', m.media ->> 'also' \
    FROM messages m JOIN unnest($1::int8[], $2::int8[], $3::int8[]) t (chat_id, first, last) \
    ON m.chat_id = t.chat_id AND m.key BETWEEN t.first AND t.last WHERE m.kind = 11 ORDER BY m.chat_id, m.created_at, m.key";
const NOTE: &str = "\
    UPDATE messages m SET media = coalesce(m.media, '{\"type\": \"call\"}') || jsonb_build_object('also', t.also) \
    FROM unnest($1::int8[], $2::text[], $3::text[]) t (chat_id, message_id, also) \
    WHERE m.chat_id = t.chat_id AND m.message_id = t.message_id AND left(m.message_id, 500) = left(t.message_id, 500) AND m.kind = 11";

/// A call that is in the table, or about to be stored.
pub struct Call {
    chat_id: i64,
    message_id: String,
    /// Unix seconds: when it began, or was over.
    at: i64,
    /// None: its chat tells of it.
    told: Option<Told>,
    /// The id under which somebody else has told of it.
    also: Option<String>,
    /// Where it is in the table.
    key: Option<i64>,
}

impl Call {
    /// Of a message that is a call.
    pub fn of(chat_id: i64, message: &Message<'_>) -> Self {
        let told = match &message.content.carried {
            Some(Carried::Call(call)) => Some(call.told),
            _ => None,
        };
        let (message_id, at) = (message.id.to_string(), message.timestamp);
        Self { chat_id, message_id, at, told, also: None, key: None }
    }

    fn there(row: &tokio_postgres::Row) -> Self {
        let told = row.get::<_, Option<&str>>(3).map(|told| if told == "end" { Told::End } else { Told::Log });
        let key: i64 = row.get(2);
        Self { chat_id: row.get(0), message_id: row.get(1), at: key >> 32, told, also: row.get(4), key: Some(key) }
    }

    /// Seconds between what two say of when a call began, less than nothing where they are known to be one; None when they
    /// are two.
    fn apart(&self, other: &Self) -> Option<i64> {
        let has_noted = |one: &Self, other: &Self| one.also.as_ref() == Some(&other.message_id);
        if has_noted(self, other) || has_noted(other, self) {
            return Some(-1);
        }
        let (begun, known) = match (self.told, other.told) {
            (None, Some(_)) => (self, other),
            (Some(_), None) => (other, self),
            _ => return None,
        };
        let later = known.at - begun.at;
        let most = if known.told == Some(Told::End) { RINGS } else { SAME_CALL };
        let is_free = self.also.is_none() && other.also.is_none();
        (is_free && (-SAME_CALL..=most).contains(&later)).then_some(later.abs())
    }
}

/// What became of calls that are two and one.
#[derive(Default)]
pub struct Settled {
    /// Chat and id of those that are not to be stored.
    pub told_before: HashSet<(i64, String)>,
    /// Chat and key of those that go out of the table.
    pub gone: Vec<(i64, i64)>,
    /// Chat, id and the other id of those that stay.
    noted: Vec<(i64, String, String)>,
}

impl Settled {
    /// Writes down under which other ids calls have come; they are stored now.
    pub async fn note(&self, database: &Database) -> Result<(), Error> {
        if self.noted.is_empty() {
            return Ok(());
        }
        let chats: Vec<i64> = self.noted.iter().map(|(chat, _, _)| *chat).collect();
        let ids: Vec<&str> = self.noted.iter().map(|(_, id, _)| id.as_str()).collect();
        let others: Vec<&str> = self.noted.iter().map(|(_, _, also)| also.as_str()).collect();
        database.query(NOTE, &[&chats, &ids, &others]).await.map(drop)
    }

    fn add(&mut self, first: &Call, second: &Call) {
        match second.key {
            Some(key) => self.gone.push((second.chat_id, key)),
            None => _ = self.told_before.insert((second.chat_id, second.message_id.clone())),
        }
        self.noted.push((first.chat_id, first.message_id.clone(), second.message_id.clone()));
    }
}

/// Finds which of the calls that are coming have come already under another id, and which of those in chats that have just
/// become one of two.
pub async fn settle(database: &Database, coming: Vec<Call>, merged: &[i64]) -> Result<Settled, Error> {
    let mut settled = Settled::default();
    if coming.is_empty() && merged.is_empty() {
        return Ok(settled);
    }
    let mut calls = there(database, &coming, merged).await?;
    let mut known: BTreeSet<(i64, String)> = calls.iter().map(|call| (call.chat_id, call.message_id.clone())).collect();
    calls.extend(coming.into_iter().filter(|call| known.insert((call.chat_id, call.message_id.clone()))));
    calls.sort_by_key(|call| call.chat_id);
    for of_chat in calls.chunk_by(|one, next| one.chat_id == next.chat_id) {
        for (first, second) in pairs(of_chat) {
            settled.add(&of_chat[first], &of_chat[second]);
        }
    }
    Ok(settled)
}

async fn there(database: &Database, coming: &[Call], merged: &[i64]) -> Result<Vec<Call>, Error> {
    let around = SAME_CALL + RINGS;
    let near = coming.iter().map(|call| (call.chat_id, (call.at - around) << 32, (call.at + around + 1) << 32));
    let all: Vec<_> = near.chain(merged.iter().map(|chat| (*chat, i64::MIN, i64::MAX))).collect();
    let chats: Vec<i64> = all.iter().map(|(chat, _, _)| *chat).collect();
    let firsts: Vec<i64> = all.iter().map(|(_, first, _)| *first).collect();
    let lasts: Vec<i64> = all.iter().map(|(_, _, last)| *last).collect();
    Ok(database.query(THERE, &[&chats, &firsts, &lasts]).await?.iter().map(Call::there).collect())
}

/// Which calls of a chat, in the order they were stored, are one: those nearest to each other, and each with one other.
fn pairs(calls: &[Call]) -> Vec<(usize, usize)> {
    let mut near = Vec::new();
    for (first, call) in calls.iter().enumerate() {
        let later = calls.iter().enumerate().skip(first + 1);
        near.extend(later.filter_map(|(second, other)| Some((call.apart(other)?, first, second))));
    }
    near.sort_unstable();
    let mut taken = HashSet::new();
    near.retain(|(_, first, second)| {
        let are_free = !taken.contains(first) && !taken.contains(second);
        if are_free {
            taken.extend([*first, *second]);
        }
        are_free
    });
    near.into_iter().map(|(_, first, second)| (first, second)).collect()
}
