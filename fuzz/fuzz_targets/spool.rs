//! Files that a process left behind, whole, damaged and made up: they are read to their end, and what comes back was put in.

#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};
use wafast_core::spool::Spool;

#[derive(Arbitrary, Debug)]
enum Left {
    Anything(Vec<u8>),
    Damaged { records: Vec<(i32, i32, i64, Vec<u8>)>, damage: Vec<(u16, u8)>, length: Option<u16> },
}

static FOLDER: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("wafast-fuzz-spool-{}", std::process::id())));

/// A file of whole records, and then bytes changed and its end cut off.
fn damaged(records: &[(i32, i32, i64, Vec<u8>)], damage: &[(u16, u8)], length: Option<u16>) -> Vec<u8> {
    let spool = Spool::open(&FOLDER, "gone").unwrap();
    for (device_no, code, at, bytes) in records {
        drop(spool.append(*device_no, *code, *at, bytes).unwrap());
    }
    let path = FOLDER.join("gone-0000000000.spool");
    // A page more than the records, which is zeros.
    let used: usize = records.iter().map(|(.., bytes)| 40 + bytes.len()).sum();
    let mut file = fs::read(&path).unwrap_or_default();
    file.truncate(used + 4096);
    drop(spool);
    for (at, value) in damage {
        if let Some(byte) = file.get_mut(usize::from(*at)) {
            *byte = *value;
        }
    }
    file.truncate(length.map_or(file.len(), usize::from));
    file
}

fuzz_target!(|left: Left| {
    let _ = fs::remove_dir_all(&*FOLDER);
    let (file, records) = match left {
        Left::Anything(bytes) => (bytes, None),
        Left::Damaged { records, damage, length } => (damaged(&records, &damage, length), Some((records, damage))),
    };
    let _ = fs::remove_dir_all(&*FOLDER);
    fs::create_dir_all(&*FOLDER).unwrap();
    fs::write(FOLDER.join("gone-0000000000.spool"), file).unwrap();
    let found = Spool::open(&FOLDER, "next").unwrap().adopt().unwrap();
    if let Some((records, damage)) = &records {
        let is_one = |entry: &wafast_core::spool::Entry| {
            records.iter().any(|(device_no, code, at, bytes)| {
                (entry.device_no, entry.code, entry.received_at) == (*device_no, *code, *at)
                    && entry.place.bytes() == bytes
            })
        };
        assert!(found.iter().all(is_one) || !damage.is_empty());
    }
    for entry in found {
        entry.place.commit();
    }
    assert_eq!(fs::read_dir(&*FOLDER).unwrap().count(), 0, "nothing is left when all is committed");
});
