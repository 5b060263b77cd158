//! Everything there is: people, groups, files, what tests look at and what they have asked for.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, watch};
use wafast_protocol::random;

use crate::{
    address::{Address, Phone},
    behaviour::Behaviours,
    device::Device,
    group::Group,
    journal::Journal,
    ledger::Ledger,
    link::{Ending, Link},
    live::Liveliness,
    media::Downloads,
    media_store::MediaStore,
    names,
    observed::{InboxMessage, Receipt, Seen},
    person::Person,
    registration::Registration,
    secrets::Secrets,
    stats::Stats,
};

/// Shared by every task.
pub struct World {
    pub secrets: Secrets,
    pub media: MediaStore,
    pub journal: Journal,
    pub stats: Stats,
    pub inbox: Ledger<InboxMessage>,
    pub receipts: Ledger<Receipt>,
    pub seen: Ledger<Seen>,
    pub behaviours: Behaviours,
    pub live: Mutex<HashMap<Phone, Arc<Liveliness>>>,
    /// Connections showing a QR code, by each reference they were given.
    pub references: Mutex<HashMap<String, Weak<Registration>>>,
    /// Connections waiting for a code to be typed on this phone; the newest counts.
    pub codes: Mutex<HashMap<Phone, Weak<Registration>>>,
    /// Every live connection, so that all can be cut.
    pub links: Mutex<Vec<Weak<Link>>>,
    /// Whether every connection is refused.
    pub down: AtomicBool,
    /// Milliseconds a word to the server and back takes.
    pub latency: AtomicU64,
    /// How downloads of files go.
    pub downloads: watch::Sender<Downloads>,
    pub quit: Notify,
    people: RwLock<HashMap<Phone, Arc<Person>>>,
    groups: RwLock<HashMap<String, Arc<Group>>>,
    ids: AtomicU64,
}

impl World {
    /// What `folder` holds, or an empty world.
    ///
    /// # Errors
    /// The folder is not writable or what it holds is damaged.
    pub fn open(folder: &Path, seed: Option<u64>) -> std::io::Result<Self> {
        let (journal, saved) = Journal::open(folder)?;
        let world = Self {
            secrets: Secrets::open(folder, seed)?,
            media: MediaStore::open(&folder.join("media"))?,
            journal,
            stats: Stats::default(),
            inbox: Ledger::default(),
            receipts: Ledger::default(),
            seen: Ledger::default(),
            behaviours: Behaviours::default(),
            live: Mutex::default(),
            references: Mutex::default(),
            codes: Mutex::default(),
            links: Mutex::default(),
            down: AtomicBool::new(false),
            latency: AtomicU64::new(0),
            downloads: watch::Sender::default(),
            quit: Notify::new(),
            people: RwLock::new(saved.people.into_iter().map(|person| (person.phone, Arc::new(person))).collect()),
            groups: RwLock::new(saved.groups.into_iter().map(|group| (group.id.clone(), Arc::new(group))).collect()),
            // ids go on where no earlier run can have been
            ids: AtomicU64::new(now_millis() << 8),
        };
        Ok(world)
    }

    /// The person with this number; made on first use.
    pub fn person(&self, phone: Phone) -> Arc<Person> {
        if let Some(person) = self.people.read().get(&phone) {
            return Arc::clone(person);
        }
        let mut people = self.people.write();
        let made = people.entry(phone).or_insert_with(|| {
            self.journal.touch(phone);
            Arc::new(Person::new(phone, &self.secrets.identity_of(phone)))
        });
        Arc::clone(made)
    }

    /// The person with this number, if there was a reason to make one.
    pub fn known_person(&self, phone: Phone) -> Option<Arc<Person>> {
        self.people.read().get(&phone).cloned()
    }

    /// Everyone.
    pub fn people(&self) -> Vec<Arc<Person>> {
        self.people.read().values().cloned().collect()
    }

    /// The linked companion with this address.
    pub fn device(&self, address: Address) -> Option<Arc<Device>> {
        let person = self.known_person(address.phone)?;
        let state = person.lock();
        state.account.as_ref()?.devices.get(&address.device).cloned()
    }

    /// All linked companions of a person.
    pub fn devices(&self, phone: Phone) -> Vec<Arc<Device>> {
        let Some(person) = self.known_person(phone) else {
            return Vec::new();
        };
        let state = person.lock();
        state.account.as_ref().map(|account| account.devices.values().cloned().collect()).unwrap_or_default()
    }

    /// The name a person shows to others.
    pub fn name_of(&self, phone: Phone) -> String {
        let name = self.known_person(phone).and_then(|person| person.lock().name.clone());
        name.unwrap_or_else(|| names::of(phone))
    }

    /// The group with this id.
    pub fn group(&self, id: &str) -> Option<Arc<Group>> {
        self.groups.read().get(id).cloned()
    }

    /// Makes a group, or remakes one.
    pub fn put_group(&self, group: Group) -> Arc<Group> {
        let group = Arc::new(group);
        self.groups.write().insert(group.id.clone(), Arc::clone(&group));
        self.journal.touch_groups();
        group
    }

    /// All groups `wanted` accepts.
    pub fn groups(&self, wanted: impl Fn(&Group) -> bool) -> Vec<Arc<Group>> {
        self.groups.read().values().filter(|group| wanted(group)).cloned().collect()
    }

    /// An id for a stanza of the server's own.
    pub fn stanza_id(&self) -> String {
        self.ids.fetch_add(1, Relaxed).to_string()
    }

    /// An id as a phone gives its messages: `3A` and 18 hex digits.
    pub fn message_id(&self) -> String {
        let bytes: [u8; 9] = random::bytes();
        bytes.iter().fold("3A".to_owned(), |text, byte| text + &format!("{byte:02X}"))
    }

    /// Cuts every connection.
    pub fn cut_all(&self) {
        for link in self.links.lock().drain(..).filter_map(|link| link.upgrade()) {
            link.end(Ending::Cut);
        }
    }

    /// Remembers a new connection, and forgets those that are gone.
    pub fn add_link(&self, link: &Arc<Link>) {
        let mut links = self.links.lock();
        if links.len() == links.capacity() {
            links.retain(|link| link.strong_count() > 0);
        }
        links.push(Arc::downgrade(link));
    }

    /// Waits as long as a word to a server far away and back is to take.
    pub async fn round_trip(&self) {
        let latency = Duration::from_millis(self.latency.load(Relaxed));
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
    }
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    now_millis() / 1000
}

/// Milliseconds since 1970.
#[must_use]
pub fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
