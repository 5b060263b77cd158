//! What new messages do to their chats: previews, unread counts, and how far back a chat is kept.

use postgres_types::ToSql;
use tokio_postgres::Error;

use super::{
    known::{Chat, Known},
    messages::Row,
};
use crate::{connection::Database, record::flag, text};

/// Characters of a preview; the column's comment has the same number.
const PREVIEW: usize = 200;

/// Counts are added, not set: other processes write the same rows. A message older than what was read is not counted as
/// unread; where one may be, the batch's are counted one by one ([`ADD_UNREAD`]). Within one second keys say nothing of the
/// order (their lower half is a hash): what comes later is newer, so it is unread and it is the preview.
/// Comes back as one row: how many chats are there, those that have other rows than we know of, and those where what was
/// read is newer than some of the batch, with that.
const SAVE: &str = "\
    WITH saved AS ( \
    UPDATE chats c SET \
        name = coalesce(c.name, t.name), \
        stored = c.stored + t.stored, \
        floor_key = greatest(c.floor_key, t.floor_key), \
        unread = c.unread + CASE WHEN c.read_key >> 32 > t.first_unread >> 32 THEN 0 ELSE t.unread END, \
        last_kind = CASE WHEN c.last_key >> 32 > t.last_key >> 32 THEN c.last_kind ELSE t.last_kind END, \
        last_flags = CASE WHEN c.last_key >> 32 > t.last_key >> 32 THEN c.last_flags ELSE t.last_flags END, \
        last_text = CASE WHEN c.last_key >> 32 > t.last_key >> 32 THEN c.last_text ELSE t.last_text END, \
        last_sender = CASE WHEN c.last_key >> 32 > t.last_key >> 32 THEN c.last_sender ELSE t.last_sender END, \
        last_status = CASE WHEN c.last_key >> 32 > t.last_key >> 32 THEN c.last_status ELSE t.last_status END, \
        last_key = CASE WHEN c.last_key >> 32 > t.last_key >> 32 THEN c.last_key ELSE t.last_key END \
    FROM unnest($1::chat_share[]) t \
    WHERE c.id = t.id RETURNING c.id, c.stored <> t.known AS is_strange, c.read_key, \
                                c.read_key >> 32 > t.first_unread >> 32 AS is_behind) \
    SELECT count(*), coalesce(array_agg(id) FILTER (WHERE is_strange), '{}'), \
           coalesce(array_agg(id) FILTER (WHERE is_behind), '{}'), coalesce(array_agg(read_key) FILTER (WHERE is_behind), '{}') \
    FROM saved";
const ADD_UNREAD: &str = "\
    UPDATE chats c SET unread = c.unread + t.unread FROM unnest($1::int8[], $2::int4[]) t (id, unread) WHERE c.id = t.id";
/// Chats that are not there any more, and whether their device is: then they have become part of others.
const GONE: &str = "\
    SELECT t.id, EXISTS (SELECT FROM devices d WHERE d.no = t.device_no) \
    FROM unnest($1::int8[], $2::int4[]) t (id, device_no) WHERE NOT EXISTS (SELECT FROM chats c WHERE c.id = t.id)";
/// For chats with rows of other processes: the newest `$2` stay visible. Of the oldest second that is kept what is too much
/// goes, as in [`THIN_OUT`].
const RAISE_FLOOR: &str = "\
    WITH placed AS (SELECT m.chat_id, m.key, row_number() OVER (PARTITION BY m.chat_id \
                                                                ORDER BY m.key >> 32 DESC, m.created_at DESC) AS place \
                    FROM chats c JOIN messages m ON m.chat_id = c.id AND m.key > c.floor_key WHERE c.id = ANY ($1)), \
         oldest AS (SELECT chat_id, key >> 32 AS second FROM placed WHERE place = $2), \
         surplus AS (SELECT p.chat_id, p.key, p.key >> 32 = o.second AS is_kept_second \
                     FROM placed p JOIN oldest o ON o.chat_id = p.chat_id WHERE p.place > $2), \
         gone AS (DELETE FROM messages m USING surplus s \
                  WHERE m.chat_id = s.chat_id AND m.key = s.key AND s.is_kept_second RETURNING m.chat_id, m.key), \
         pictures AS (DELETE FROM thumbnails p USING surplus s \
                      WHERE p.chat_id = s.chat_id AND p.key = s.key AND s.is_kept_second), \
         read AS (DELETE FROM receipts r USING surplus s \
                  WHERE r.chat_id = s.chat_id AND r.key = s.key AND s.is_kept_second) \
    UPDATE chats c SET floor_key = greatest(c.floor_key, f.floor_key), stored = c.stored - f.gone, \
        thinned = c.thinned || f.thinned \
    FROM (SELECT s.chat_id, max(s.key) FILTER (WHERE NOT s.is_kept_second) AS floor_key, count(g.key)::int4 AS gone, \
                 array_agg(g.key) FILTER (WHERE g.key IS NOT NULL) AS thinned \
          FROM surplus s LEFT JOIN gone g ON g.chat_id = s.chat_id AND g.key = s.key GROUP BY s.chat_id) f \
    WHERE c.id = f.chat_id";
/// From where the last deletion ended: before that the index still has the rows that went, and to look at each of them again
/// was a tenth of what this costs.
const TRIM: &str = "\
    WITH gone AS (DELETE FROM messages m USING unnest($1::int8[], $2::int8[], $3::int8[]) t (chat_id, trimmed_key, floor_key) \
                  WHERE m.chat_id = t.chat_id AND m.key > t.trimmed_key AND m.key <= t.floor_key RETURNING m.chat_id), \
         pictures AS (DELETE FROM thumbnails p USING unnest($1::int8[], $2::int8[], $3::int8[]) t (chat_id, trimmed_key, floor_key) \
                      WHERE p.chat_id = t.chat_id AND p.key > t.trimmed_key AND p.key <= t.floor_key), \
         read AS (DELETE FROM receipts r USING unnest($1::int8[], $2::int8[], $3::int8[]) t (chat_id, trimmed_key, floor_key) \
                  WHERE r.chat_id = t.chat_id AND r.key > t.trimmed_key AND r.key <= t.floor_key) \
    SELECT chat_id, count(*)::int4 FROM gone GROUP BY chat_id";
/// Keys of one second say nothing of its order, so a floor can't divide it: its oldest rows go at once, and their keys are
/// kept as long as others of that second are.
const THIN_OUT: &str = "\
    WITH surplus AS (SELECT t.chat_id, o.key FROM unnest($1::int8[], $2::int8[], $3::int8[]) t (chat_id, first_key, surplus) \
                     CROSS JOIN LATERAL (SELECT m.key FROM messages m WHERE m.chat_id = t.chat_id AND m.key >= t.first_key \
                                           AND m.key >> 32 = t.first_key >> 32 ORDER BY m.created_at LIMIT t.surplus) o), \
         pictures AS (DELETE FROM thumbnails p USING surplus s WHERE p.chat_id = s.chat_id AND p.key = s.key), \
         read AS (DELETE FROM receipts r USING surplus s WHERE r.chat_id = s.chat_id AND r.key = s.key), \
         noted AS (UPDATE chats c SET thinned = array(SELECT key FROM unnest(c.thinned) key WHERE key >= g.first_key) || g.keys \
                   FROM (SELECT s.chat_id, array_agg(s.key) AS keys, min(t.first_key) AS first_key FROM surplus s \
                         JOIN unnest($1::int8[], $2::int8[]) t (chat_id, first_key) ON t.chat_id = s.chat_id GROUP BY 1) g \
                   WHERE c.id = g.chat_id) \
    DELETE FROM messages m USING surplus s WHERE m.chat_id = s.chat_id AND m.key = s.key RETURNING m.chat_id, m.key";
/// Of chats that were deleted, with their device, while this transaction wrote.
const FORGET: &str = "\
    WITH pictures AS (DELETE FROM thumbnails WHERE chat_id = ANY ($1)) DELETE FROM messages WHERE chat_id = ANY ($1)";

/// One chat's share of a batch, as PostgreSQL's type of that name: with an array of it [`SAVE`] takes four fifths of the time
/// that it took with thirteen arrays side by side, which are read into a table each.
#[derive(Debug, ToSql)]
#[postgres(name = "chat_share")]
struct Share<'a> {
    id: i64,
    name: Option<&'a str>,
    stored: i32,
    floor_key: i64,
    first_unread: i64,
    unread: i32,
    last_key: i64,
    last_kind: i16,
    last_flags: i16,
    last_text: &'a str,
    last_sender: Option<&'a str>,
    last_status: i16,
    /// Rows it should have with these.
    known: i32,
}

/// What a batch has of one chat.
struct Count<'a> {
    chat_id: i64,
    stored: i32,
    unread: i32,
    first_unread: i64,
    name: Option<&'a str>,
    last: &'a Row<'a>,
    rows: &'a [Row<'a>],
}

/// All chats' shares, by id.
#[derive(Default)]
pub struct Counts<'a> {
    by_chat: Vec<Count<'a>>,
}

/// What saving counts has shown.
#[derive(Default)]
struct Saved {
    /// How many of the chats are there.
    there: usize,
    /// Chats of which not as much is stored as we know of.
    strange: Vec<i64>,
    /// Chats in which a newer message is read than one of these, with that one's key.
    behind: Vec<(i64, i64)>,
}

impl<'a> Count<'a> {
    fn of(rows: &'a [Row<'a>]) -> Self {
        let (chat_id, last) = (rows[0].chat_id, &rows[0]);
        let mut count = Self { chat_id, stored: 0, unread: 0, first_unread: i64::MAX, name: None, last, rows };
        rows.iter().for_each(|row| count.add(row));
        count
    }

    fn add(&mut self, row: &'a Row<'a>) {
        let message = row.message;
        let from_me = row.flags & flag::FROM_ME != 0;
        self.stored += 1;
        if row.is_unread() {
            self.unread += 1;
            self.first_unread = self.first_unread.min(row.key);
        }
        if !from_me && !message.chat.is_group() {
            self.name = message.sender_name.as_deref().or(self.name);
        }
        if (row.key >> 32, row.created_at) >= (self.last.key >> 32, self.last.created_at) {
            self.last = row;
        }
    }

    /// For [`SAVE`]; of a chat that is not known, which then counts as strange, no floor is raised.
    fn share(&self, chat: Option<&mut Chat>) -> Share<'a> {
        let Row { key, flags, status, message, .. } = *self.last;
        let (floor_key, known) = chat.map_or((i64::MIN, -1), |chat| (chat.floor_key, chat.stored));
        Share {
            id: self.chat_id,
            name: self.name,
            stored: self.stored,
            floor_key,
            first_unread: self.first_unread,
            unread: self.unread,
            last_key: key,
            last_kind: message.content.kind as i16,
            last_flags: flags,
            last_text: text::preview(&message.content.body, PREVIEW),
            last_sender: message.sender_name.as_deref(),
            last_status: status as i16,
            known,
        }
    }
}

impl<'a> Counts<'a> {
    /// Counts messages that were inserted, in the order of their chats.
    #[must_use]
    pub fn of(rows: &'a [Row<'a>]) -> Self {
        Self { by_chat: rows.chunk_by(|one, next| one.chat_id == next.chat_id).map(Count::of).collect() }
    }

    /// The chats.
    pub fn chats(&self) -> impl Iterator<Item = i64> {
        self.by_chat.iter().map(|count| count.chat_id)
    }

    /// Writes the counts, raises floors and trims. What `known` has of the chats is as the rows are, afterwards. Gives
    /// false when a chat has become part of another one: then nothing of this transaction may stay.
    pub async fn save(&mut self, database: &Database, known: &mut Known, keep: usize) -> Result<bool, Error> {
        if self.by_chat.is_empty() {
            return Ok(true);
        }
        self.thin_out(database, known, keep).await?;
        self.trim(database, known, keep).await?;
        let Saved { there, mut strange, behind } = self.update(database, known).await?;
        self.add_unread(database, &behind).await?;
        if there < self.by_chat.len() {
            let (ids, devices): (Vec<i64>, Vec<i32>) =
                self.by_chat.iter().map(|count| (count.chat_id, count.last.device_no)).unzip();
            let rows = database.query(GONE, &[&ids, &devices]).await?;
            if rows.iter().any(|row| row.get(1)) {
                return Ok(false);
            }
            let gone: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
            database.query(FORGET, &[&gone]).await?;
            strange.extend(gone);
        }
        known.doubt_chats(strange.iter().copied());
        raise_floors(database, strange, keep).await?;
        Ok(true)
    }

    /// Where the oldest second that is kept holds more messages than there is room for, the first of them go.
    async fn thin_out(&mut self, database: &Database, known: &mut Known, keep: usize) -> Result<(), Error> {
        let (mut ids, mut firsts, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for id in self.chats() {
            if let Some((first_key, surplus)) = known.chat(id).and_then(|chat| surplus(chat, keep)) {
                ids.push(id);
                firsts.push(first_key);
                counts.push(surplus);
            }
        }
        if ids.is_empty() {
            return Ok(());
        }
        for row in database.query(THIN_OUT, &[&ids, &firsts, &counts]).await? {
            let (id, key): (i64, i64) = (row.get(0), row.get(1));
            let place = self.by_chat.binary_search_by_key(&id, |count| count.chat_id);
            if let (Ok(place), Some(chat)) = (place, known.chat(id)) {
                self.by_chat[place].stored -= 1;
                chat.thin_out(key);
            }
        }
        Ok(())
    }

    async fn update(&self, database: &Database, known: &mut Known) -> Result<Saved, Error> {
        let shares: Vec<_> = self.by_chat.iter().map(|count| count.share(known.chat(count.chat_id))).collect();
        let saved = database.query(SAVE, &[&shares]).await?;
        let Some(row) = saved.first() else { return Ok(Saved::default()) };
        let (ids, read): (Vec<i64>, Vec<i64>) = (row.get(2), row.get(3));
        let there = usize::try_from(row.get::<_, i64>(0)).unwrap_or(0);
        Ok(Saved { there, strange: row.get(1), behind: ids.into_iter().zip(read).collect() })
    }

    /// Of chats in which newer messages are read than some of these: what is not older than that is unread.
    async fn add_unread(&self, database: &Database, behind: &[(i64, i64)]) -> Result<(), Error> {
        let unread = |(id, read_key): &(i64, i64)| {
            let place = self.by_chat.binary_search_by_key(id, |count| count.chat_id).ok()?;
            let is_new = |row: &&Row<'_>| row.is_unread() && row.key >> 32 >= read_key >> 32;
            let count = self.by_chat[place].rows.iter().filter(is_new).count();
            (count > 0).then_some((*id, i32::try_from(count).unwrap_or(i32::MAX)))
        };
        let (ids, counts): (Vec<i64>, Vec<i32>) = behind.iter().filter_map(unread).unzip();
        if ids.is_empty() { Ok(()) } else { database.query(ADD_UNREAD, &[&ids, &counts]).await.map(drop) }
    }

    /// Raises floors, and deletes what lies below them of chats that hold twice what is kept: a deletion every twenty messages.
    async fn trim(&mut self, database: &Database, known: &mut Known, keep: usize) -> Result<(), Error> {
        let most = i32::try_from(keep * 2).unwrap_or(i32::MAX);
        let (mut ids, mut trimmed, mut floors) = (Vec::new(), Vec::new(), Vec::new());
        for id in self.chats() {
            let Some(chat) = known.chat(id) else { continue };
            chat.raise_floor(keep);
            if keep > 0 && chat.stored >= most {
                ids.push(id);
                trimmed.push(chat.trimmed_key);
                floors.push(chat.floor_key);
                chat.trimmed_key = chat.floor_key;
            }
        }
        if ids.is_empty() {
            return Ok(());
        }
        for row in database.query(TRIM, &[&ids, &trimmed, &floors]).await? {
            let (id, gone): (i64, i32) = (row.get(0), row.get(1));
            let place = self.by_chat.binary_search_by_key(&id, |count| count.chat_id);
            if let (Ok(place), Some(chat)) = (place, known.chat(id)) {
                self.by_chat[place].stored -= gone;
                chat.stored -= gone;
            }
        }
        Ok(())
    }
}

/// Of chats that others have written into: the newest `keep` stay visible.
pub async fn raise_floors(database: &Database, chats: Vec<i64>, keep: usize) -> Result<(), Error> {
    if keep == 0 || chats.is_empty() {
        return Ok(());
    }
    database.query(RAISE_FLOOR, &[&chats, &i64::try_from(keep).unwrap_or(i64::MAX)]).await.map(drop)
}

/// How many of the oldest second that is kept are too many, and the first key to look at.
fn surplus(chat: &Chat, keep: usize) -> Option<(i64, i64)> {
    let oldest = chat.keys.len().checked_sub(keep).filter(|oldest| keep > 0 && *oldest > 0)?;
    let second = chat.keys[oldest] >> 32;
    if chat.keys[oldest - 1] >> 32 != second {
        return None;
    }
    let first_key = (second << 32).max(chat.floor_key + 1);
    let first = chat.keys.partition_point(|key| *key < first_key);
    Some((first_key, i64::try_from(oldest - first).unwrap_or(0)))
}
