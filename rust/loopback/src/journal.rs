//! What survives the simulator: one file that grows by records, the last of a person counting.
//!
//! A person is appended a few seconds after changing (at once when a companion is paired), and everything is written
//! once more at a clean stop. After an unclean one, ratchets on disk are older than what companions hold. Such a session
//! would encrypt with counters already used, and whatsmeow drops those messages without a word; so all sessions and
//! one-time prekeys are forgotten then, and both sides start new ones as after a reinstall.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::{
    account::Account,
    address::{Address, Phone},
    app_state::AppState,
    device::{self, Device},
    group::Group,
    live::Pace,
    person::{self, Person},
    world::World,
};

/// First bytes of the file; another number is another form.
const MAGIC: &[u8; 8] = b"WAFLOOP1";
/// The file is written anew when it has grown by so much, and to several times its size.
const REWRITE_BYTES: u64 = 64 << 20;
const REWRITE_FACTOR: u64 = 4;

#[derive(Serialize, Deserialize)]
struct SavedDevice {
    number: u16,
    noise_key: [u8; 32],
    state: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct SavedAccount<A> {
    key_index: u32,
    live: Option<Pace>,
    app_state: A,
    devices: Vec<SavedDevice>,
}

#[derive(Serialize, Deserialize)]
enum Record<S, A> {
    Person { phone: Phone, state: S, account: Option<SavedAccount<A>> },
    Groups(Vec<Group>),
    Clean,
}

type OwnedRecord = Record<person::State, AppState>;
type BorrowedRecord<'a> = Record<&'a person::State, &'a AppState>;

/// What a file held.
#[derive(Default)]
pub struct Saved {
    pub people: Vec<Person>,
    pub groups: Vec<Group>,
}

struct Pending {
    file: File,
    size: u64,
    rewritten: u64,
    people: HashSet<Phone>,
    groups: bool,
}

/// The open file, and who has changed since.
pub struct Journal {
    path: PathBuf,
    pending: Mutex<Pending>,
}

impl Journal {
    /// Opens `state.log` in `folder` and gives what it holds.
    ///
    /// # Errors
    /// The folder is not writable, or the file has another form.
    pub fn open(folder: &Path) -> io::Result<(Self, Saved)> {
        let path = folder.join("state.log");
        let bytes = if path.exists() { fs::read(&path)? } else { Vec::new() };
        let saved = if bytes.is_empty() { Saved::default() } else { read(&path, &bytes)? };
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        if file.metadata()?.len() == 0 {
            file.write_all(MAGIC)?;
        }
        let size = file.metadata()?.len();
        let pending = Pending { file, size, rewritten: 0, people: HashSet::new(), groups: false };
        Ok((Self { path, pending: Mutex::new(pending) }, saved))
    }

    /// Somebody has changed.
    pub fn touch(&self, phone: Phone) {
        self.pending.lock().people.insert(phone);
    }

    /// A group has changed.
    pub fn touch_groups(&self) {
        self.pending.lock().groups = true;
    }

    /// Appends everyone who has changed.
    ///
    /// # Errors
    /// The disk is full.
    pub fn save(&self, world: &World) -> io::Result<()> {
        let (people, groups, large) = {
            let mut pending = self.pending.lock();
            let large = pending.size > REWRITE_BYTES && pending.size / REWRITE_FACTOR > pending.rewritten;
            (std::mem::take(&mut pending.people), std::mem::take(&mut pending.groups), large)
        };
        if large {
            return self.rewrite(world);
        }
        let mut bytes = Vec::new();
        for person in people.into_iter().filter_map(|phone| world.known_person(phone)) {
            append_person(&mut bytes, &person);
        }
        if groups {
            append_groups(&mut bytes, world);
        }
        self.append(&bytes)
    }

    /// Appends everyone, and that nothing is missing.
    ///
    /// # Errors
    /// The disk is full.
    pub fn close(&self, world: &World) -> io::Result<()> {
        self.rewrite(world)?;
        let mut bytes = Vec::new();
        append(&mut bytes, &BorrowedRecord::Clean);
        self.append(&bytes)
    }

    /// Writes the file anew with only what counts.
    ///
    /// # Errors
    /// The disk is full.
    pub fn rewrite(&self, world: &World) -> io::Result<()> {
        let mut bytes = MAGIC.to_vec();
        world.people().iter().for_each(|person| append_person(&mut bytes, person));
        append_groups(&mut bytes, world);
        let part = self.path.with_extension("part");
        let mut pending = self.pending.lock();
        fs::write(&part, &bytes)?;
        fs::rename(&part, &self.path)?;
        pending.file = OpenOptions::new().append(true).open(&self.path)?;
        (pending.size, pending.rewritten) = (bytes.len() as u64, bytes.len() as u64);
        Ok(())
    }

    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut pending = self.pending.lock();
        pending.file.write_all(bytes)?;
        pending.size += bytes.len() as u64;
        Ok(())
    }
}

fn append(bytes: &mut Vec<u8>, record: &BorrowedRecord) {
    let body = postcard::to_allocvec(record).expect("these types have no failing serialisation");
    bytes.extend_from_slice(&(body.len() as u32).to_be_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&body).to_be_bytes());
    bytes.extend_from_slice(&body);
}

fn append_person(bytes: &mut Vec<u8>, person: &Person) {
    let state = person.lock();
    let account = state.account.as_ref().map(|account| SavedAccount {
        key_index: account.key_index,
        live: account.live,
        app_state: &account.app_state,
        devices: account.devices.values().map(|device| save_device(device)).collect(),
    });
    append(bytes, &Record::Person { phone: person.phone, state: &*state, account });
}

fn save_device(device: &Device) -> SavedDevice {
    let state = device.with(|state| postcard::to_allocvec(state).expect("a device serialises"));
    SavedDevice { number: device.address.device, noise_key: device.noise_key, state }
}

fn append_groups(bytes: &mut Vec<u8>, world: &World) {
    let groups = world.groups(|_| true).iter().map(|group| Group::clone(group)).collect();
    append(bytes, &Record::Groups(groups));
}

fn read(path: &Path, bytes: &[u8]) -> io::Result<Saved> {
    let Some(mut rest) = bytes.strip_prefix(MAGIC.as_slice()) else {
        let what = format!("{} is not of this version; delete it to start with an empty world", path.display());
        return Err(io::Error::other(what));
    };
    let (mut people, mut groups, mut clean) = (HashMap::new(), Vec::new(), true);
    // a record cut short by a crash ends the file
    while let Some((body, after)) = next_record(rest) {
        rest = after;
        clean = false;
        match postcard::from_bytes::<OwnedRecord>(body) {
            Ok(Record::Person { phone, state, account }) => {
                people.insert(phone, (state, account));
            }
            Ok(Record::Groups(all)) => groups = all,
            Ok(Record::Clean) => clean = true,
            Err(error) => return Err(io::Error::other(format!("{}: {error}", path.display()))),
        }
    }
    clean &= rest.is_empty();
    let people = people.into_iter().map(|(phone, (state, account))| restore(phone, state, account, clean)).collect();
    Ok(Saved { people, groups })
}

fn next_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let (body, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    (crc32fast::hash(body) == u32::from_be_bytes(*sum)).then_some((body, rest))
}

fn restore(phone: Phone, mut state: person::State, account: Option<SavedAccount<AppState>>, clean: bool) -> Person {
    if !clean {
        state.forget_sessions();
    }
    state.account = account.map(|saved| {
        let devices = saved.devices.into_iter().filter_map(|device| {
            let mut state: device::State = postcard::from_bytes(&device.state).ok()?;
            if !clean {
                state.forget_pre_keys();
            }
            let address = Address { phone, device: device.number };
            Some((device.number, Arc::new(Device::restore(address, device.noise_key, state))))
        });
        let devices = devices.collect();
        let (key_index, live, app_state) = (saved.key_index, saved.live, saved.app_state);
        Box::new(Account { key_index, devices, app_state, live, ..Account::default() })
    });
    Person::restore(phone, state)
}
