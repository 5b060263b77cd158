//! Contacts that live by themselves: they write, type first, send pictures, read what they get and answer it.

mod chance;
mod talk;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::sleep;

use self::{
    chance::Chance,
    talk::{Line, Talk},
};
use crate::{
    address::Phone,
    behaviour::Behaviour,
    content::Content,
    group::Group,
    message_out::{self, Chat, Letter},
    notification,
    picture::Picture,
    presence::{self, Typing},
    world::{self, World},
};

/// With so many messages waiting for a line, its contacts hold their peace: nobody is there to read them.
const PATIENCE: usize = 40;
/// Every so many-th line spoken on a contact's own account is in a group.
const GROUP_SHARE: u64 = 6;
/// A person types about seven letters a second on a phone, and nobody waits longer than this to see it.
const LETTERS_PER_SECOND: f64 = 7.0;
const TYPING_MAX: f64 = 6.0;

/// How lively a line's contacts are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    pub contacts: usize,
    /// Messages a minute that begin or go on without being answered.
    pub per_minute: f64,
}

/// The contacts of one line.
pub struct Liveliness {
    line: Phone,
    pace: Pace,
    contacts: Vec<Phone>,
    groups: Vec<Arc<Group>>,
    talks: Mutex<HashMap<Phone, Talk>>,
    over: AtomicBool,
}

/// Begins or ends it for a line.
///
/// # Errors
/// The pace is nonsense.
pub fn switch(world: &Arc<World>, line: Phone, on: bool, contacts: usize, per_minute: f64) -> Result<Value, String> {
    if let Some(before) = world.live.lock().remove(&line) {
        before.over.store(true, Relaxed);
    }
    let pace = on.then_some(Pace { contacts, per_minute });
    if on && !((1..=500).contains(&contacts) && (0.01..=600.0).contains(&per_minute)) {
        return Err(format!("{contacts} contacts, {per_minute} a minute: 1 to 500 contacts, 0.01 to 600 a minute"));
    }
    world.person(line).lock().account.get_or_insert_default().live = pace;
    world.journal.touch(line);
    let contacts = pace.map(|pace| begin(world, line, pace)).unwrap_or_default();
    Ok(json!({"contacts": contacts.iter().map(Phone::to_string).collect::<Vec<_>>()}))
}

/// After a restart it goes on for the lines it was on for.
pub fn resume(world: &Arc<World>) {
    for person in world.people() {
        let pace = person.lock().account.as_ref().and_then(|account| account.live);
        if let Some(pace) = pace {
            begin(world, person.phone, pace);
        }
    }
}

fn begin(world: &Arc<World>, line: Phone, pace: Pace) -> Vec<Phone> {
    let mut chance = Chance::new(line);
    // the same line always has the same people around it
    let contacts: Vec<Phone> = (0..pace.contacts).map(|_| 60_110_000_000 + chance.below(90_000_000)).collect();
    for contact in &contacts {
        world.person(*contact);
        let behaviour = Behaviour {
            deliver_ms: Some(200 + chance.below(900)),
            read_ms: Some(1_500 + chance.below(7_000)),
            reply: None,
        };
        world.behaviours.set(Some(line), Some(*contact), behaviour);
    }
    let live = Arc::new(Liveliness {
        line,
        pace,
        groups: groups(world, line, &contacts),
        contacts: contacts.clone(),
        talks: Mutex::default(),
        over: AtomicBool::new(false),
    });
    world.live.lock().insert(line, Arc::clone(&live));
    tokio::spawn(live.run(Arc::clone(world)));
    contacts
}

/// One group from three people on, a second from eight on. They stay from one run to the next.
fn groups(world: &World, line: Phone, contacts: &[Phone]) -> Vec<Arc<Group>> {
    let parties = [(3, 6, "Ejen Klang Valley"), (8, 12, "Stok & Harga Harian")];
    let wanted = parties.into_iter().enumerate().filter(|(_, (from, ..))| contacts.len() >= *from);
    let open = |(number, (_, to, subject)): (usize, (usize, usize, &str))| {
        let id = format!("120364{:0>11}{number}", line % 100_000_000_000);
        let members: Vec<Phone> = std::iter::once(line).chain(contacts.iter().take(to).copied()).collect();
        let before = world.group(&id);
        if let Some(group) = before.as_ref().filter(|group| group.members == members) {
            return Arc::clone(group);
        }
        let group = world.put_group(Group { id, subject: subject.to_owned(), members, created: world::now() });
        notification::group_changed(world, before.as_deref(), &group);
        group
    };
    wanted.map(open).collect()
}

/// A contact got a message of the line: if it is a live one, it answers.
pub fn heard(world: &Arc<World>, line: Phone, contact: Phone, group: Option<&Arc<Group>>, content: &Content) {
    let Some(live) = world.live.lock().get(&line).cloned() else {
        return;
    };
    let mut chance = Chance::from_system();
    // in a group one of several feels spoken to
    let silent = group.is_some_and(|group| chance.below(group.members.len().max(2) as u64 - 1) > 0);
    if silent || !live.contacts.contains(&contact) || !live.talk_of(contact, Talk::is_free_to_answer) {
        return;
    }
    let (world, group, kind, text) = (Arc::clone(world), group.cloned(), content.kind, content.text.clone());
    tokio::spawn(async move {
        sleep(Duration::from_secs_f64(chance.between(2.5, 9.0))).await;
        let line = live.talk_of(contact, |talk| talk.answer(kind, &text, &mut chance));
        live.say(&world, contact, group, line, &mut chance).await;
    });
}

impl Liveliness {
    fn talk_of<T>(&self, contact: Phone, action: impl FnOnce(&mut Talk) -> T) -> T {
        action(self.talks.lock().entry(contact).or_default())
    }

    /// One contact after the other says something, until it is over.
    async fn run(self: Arc<Self>, world: Arc<World>) {
        let mut chance = Chance::from_system();
        let pause = 60.0 / self.pace.per_minute;
        // the first soon, so that a demo is alive at once
        let mut wait = chance.between(0.5, 3.0).min(pause);
        loop {
            sleep(Duration::from_secs_f64(wait)).await;
            wait = pause * chance.between(0.25, 1.75);
            if self.over.load(Relaxed) {
                return;
            }
            if self.is_away(&world) {
                continue;
            }
            let contact = self.contacts[chance.below(self.contacts.len() as u64) as usize];
            let shared = self.groups.iter().find(|group| group.members.contains(&contact));
            let group = shared.filter(|_| chance.below(GROUP_SHARE) == 0).cloned();
            let line = match &group {
                Some(_) => talk::to_group(&mut chance),
                None => self.talk_of(contact, |talk| talk.go_on(&mut chance)),
            };
            self.say(&world, contact, group, line, &mut chance).await;
        }
    }

    /// Nobody listens: no companion is linked, or much waits already.
    fn is_away(&self, world: &World) -> bool {
        let devices = world.devices(self.line);
        devices.is_empty() || devices.iter().any(|device| device.with(|state| state.queue.len() > PATIENCE))
    }

    /// Comes online, types, and sends.
    async fn say(&self, world: &World, contact: Phone, group: Option<Arc<Group>>, line: Line, chance: &mut Chance) {
        presence::show(world, self.line, contact, true);
        presence::type_to(world, self.line, contact, Typing::Composing, group.as_deref());
        let typing = 0.6 + line.text.len() as f64 / LETTERS_PER_SECOND;
        sleep(Duration::from_secs_f64(typing.min(TYPING_MAX) * chance.between(0.6, 1.1))).await;
        presence::type_to(world, self.line, contact, Typing::Paused, group.as_deref());
        let chat = group.map_or(Chat::Direct(self.line), Chat::Group);
        let letter = match line.picture {
            None => Ok(Letter::text(contact, chat, world.message_id(), &line.text)),
            Some(number) => {
                let caption = Some(line.text).filter(|text| !text.is_empty());
                let draw = || Picture::draw(number).letter(world, contact, chat, caption);
                tokio::task::block_in_place(draw).map(|(letter, _)| letter)
            }
        };
        let posted = letter.map(|letter| message_out::post(world, &letter));
        if !matches!(posted, Ok(Ok(_))) {
            world.stats.protocol_errors.add();
        }
        if chance.below(3) == 0 {
            presence::show(world, self.line, contact, false);
        }
    }
}
