//! What the events of a batch say, and from which device.

use std::panic::{self, AssertUnwindSafe};

use crate::{
    batch::Item,
    event::{self, Damaged},
    record::{Message, Other, Records},
};

/// Something a device's event says.
pub struct Said<'r, T> {
    pub device_no: i32,
    /// The place of its event in the batch.
    pub event: usize,
    /// Browsers may not have heard of it although it is stored.
    pub is_old: bool,
    pub what: &'r T,
}

/// Records whose room is kept, some 5 MB.
const MOST_ROOM: usize = 20_000;

/// All that a batch says, in the order it came.
pub struct Batch<'a> {
    records: Records<'a>,
    origins: Vec<Origin>,
}

/// One event, and where what it says ends.
struct Origin {
    device_no: i32,
    is_replay: bool,
    messages: usize,
    others: usize,
}

/// An event nothing can be done with.
pub struct Unreadable {
    /// Its place in the batch.
    pub index: usize,
    /// It was no protobuf; else reading it failed in a way nobody thought of.
    pub damaged: Option<Damaged>,
}

impl<'a> Batch<'a> {
    /// Reads the events into the `room` of an earlier batch. Of a chat in a history `keep` messages are worth reading, all
    /// when it is 0.
    ///
    /// # Errors
    /// Some can't be read: those must be taken out of the batch.
    pub fn read(items: &'a [Item], keep: usize, room: Records<'_>) -> Result<Self, Vec<Unreadable>> {
        let mut batch = Self { records: room.emptied(), origins: Vec::with_capacity(items.len()) };
        batch.records.messages.reserve(items.len());
        let mut unreadable = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let (Item { device, entry }, records) = (item, &mut batch.records);
            let before = (records.messages.len(), records.others.len());
            let read = panic::catch_unwind(AssertUnwindSafe(|| {
                event::read(entry.code, entry.place.bytes(), entry.received_at, keep, records)
            }));
            match read {
                Ok(Ok(())) => hear(item, before, &mut batch.records),
                Ok(Err(damaged)) => unreadable.push(Unreadable { index, damaged: Some(damaged) }),
                Err(_) => unreadable.push(Unreadable { index, damaged: None }),
            }
            batch.origins.push(Origin {
                device_no: device.no,
                is_replay: entry.is_replay,
                messages: batch.records.messages.len(),
                others: batch.records.others.len(),
            });
        }
        if unreadable.is_empty() { Ok(batch) } else { Err(unreadable) }
    }

    /// The room for the next batch; that of a history is given back.
    pub fn into_room(self) -> Records<'static> {
        if self.records() > MOST_ROOM { Records::default() } else { self.records.emptied() }
    }

    /// Rows and changes, at most.
    pub fn records(&self) -> usize {
        self.records.messages.len() + self.records.others.len()
    }

    /// Nothing that would be stored or told.
    pub fn is_empty(&self) -> bool {
        self.records.messages.is_empty() && self.records.others.is_empty()
    }

    /// The devices whose events these are.
    pub fn devices(&self) -> impl Iterator<Item = i32> {
        self.origins.iter().map(|origin| origin.device_no)
    }

    /// New messages. `is_old`: nobody may have heard of any.
    pub fn messages(&self, is_old: bool) -> impl Iterator<Item = Said<'_, Message<'a>>> {
        self.each(&self.records.messages, |origin| origin.messages, is_old)
    }

    /// Everything else.
    pub fn others(&self, is_old: bool) -> impl Iterator<Item = Said<'_, Other<'a>>> {
        self.each(&self.records.others, |origin| origin.others, is_old)
    }

    fn each<'r, T>(
        &'r self,
        all: &'r [T],
        end: fn(&Origin) -> usize,
        is_old: bool,
    ) -> impl Iterator<Item = Said<'r, T>> {
        let mut begin = 0;
        self.origins.iter().enumerate().flat_map(move |(event, origin)| {
            let of_event = &all[std::mem::replace(&mut begin, end(origin))..end(origin)];
            let (device_no, is_old) = (origin.device_no, is_old || origin.is_replay);
            of_event.iter().map(move |what| Said { device_no, event, is_old, what })
        })
    }
}

/// Notes which message was read; one that can't be read a second time is not missing, and says nothing. `before`: how many
/// messages and others there were before this event. To read it again notes it again, no more.
fn hear(Item { device, entry }: &Item, before: (usize, usize), records: &mut Records<'_>) {
    let (Some(heard), event::code::MESSAGE | event::code::UNDECRYPTABLE) = (&device.heard, entry.code) else { return };
    let (messages, others) = (&records.messages[before.0..], &records.others[before.1..]);
    let message_id = match (messages.first(), others.last()) {
        (Some(message), _) => &message.id,
        (None, Some(Other::Rowless { message_id, .. })) => message_id,
        _ => return,
    };
    if entry.code == event::code::MESSAGE {
        heard.note(message_id);
    } else if heard.has(message_id) {
        records.messages.truncate(before.0);
        records.others.truncate(before.1);
    }
}
