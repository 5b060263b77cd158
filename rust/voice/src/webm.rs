//! The Opus packets of a WebM file (<https://www.rfc-editor.org/rfc/rfc8794>): elements of an id, a size and what is in them.
//!
//! One walk from the first byte to the last, whatever tables of contents a file has: those may lead round in circles.

use crate::Refused;

/// Ids (<https://www.matroska.org/technical/elements.html>). Into these the walk goes, whose size a live recording does not
/// know; all others are passed over or read here.
const SEGMENT: u64 = 0x1853_8067;
const TRACKS: u64 = 0x1654_ae6b;
const CLUSTER: u64 = 0x1f43_b675;
const BLOCK_GROUP: u64 = 0xa0;
const TRACK: u64 = 0xae;
const BLOCK: u64 = 0xa1;
const SIMPLE_BLOCK: u64 = 0xa3;
/// In a track.
const NUMBER: u64 = 0xd7;
const CODEC: u64 = 0x86;
const CODEC_PRIVATE: u64 = 0x63a2;
/// In the flags of a block: several packets are in it, which is no WebM.
const LACING: u8 = 0x06;

/// The `OpusHead` and the packets of the first track of Opus. A recording that was cut off is as long as it is.
pub fn read(file: &[u8]) -> Result<(&[u8], Vec<&[u8]>), Refused> {
    let (mut rest, mut track, mut packets) = (file, None, Vec::new());
    while let Some((id, size, inside)) = element(rest) {
        if matches!(id, SEGMENT | TRACKS | CLUSTER | BLOCK_GROUP) {
            rest = inside;
            continue;
        }
        let Some((body, next)) = inside.split_at_checked(size) else { break };
        match id {
            TRACK if track.is_none() => track = opus(body),
            BLOCK | SIMPLE_BLOCK => {
                let (number, packet) = block(body)?;
                if track.is_some_and(|(wanted, _)| number == wanted) {
                    packets.push(packet);
                }
            }
            _ => {}
        }
        rest = next;
    }
    let (_, head) = track.ok_or(Refused::NoOpus)?;
    Ok((head, packets))
}

/// The number and the `OpusHead` of a track, if it is of Opus.
fn opus(mut track: &[u8]) -> Option<(u64, &[u8])> {
    let (mut number, mut is_opus, mut head) = (None, false, &[][..]);
    while let Some((id, size, inside)) = element(track) {
        let (body, next) = inside.split_at_checked(size)?;
        match id {
            NUMBER => number = Some(body.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))),
            CODEC => is_opus = body == b"A_OPUS",
            CODEC_PRIVATE => head = body,
            _ => {}
        }
        track = next;
    }
    number.filter(|_| is_opus).map(|number| (number, head))
}

/// A block: its track's number, two bytes of time, one of flags, and the packet.
fn block(body: &[u8]) -> Result<(u64, &[u8]), Refused> {
    let damaged = |what: &str| Refused::Damaged(what.to_owned());
    let (number, rest) = varint(body, true).ok_or_else(|| damaged("a block is of no track"))?;
    let [_, _, flags, packet @ ..] = rest else { return Err(damaged("a block ends before its packet")) };
    if flags & LACING == 0 { Ok((number, packet)) } else { Err(damaged("a block has several packets")) }
}

/// The first element: its id, how many bytes it says are in it, and what comes after that.
fn element(bytes: &[u8]) -> Option<(u64, usize, &[u8])> {
    let (id, rest) = varint(bytes, false)?;
    let (size, inside) = varint(rest, true)?;
    Some((id, usize::try_from(size).ok()?, inside))
}

/// A number whose leading zeros say how many bytes follow; in an id these bits are part of it, in a size they are not.
fn varint(bytes: &[u8], is_size: bool) -> Option<(u64, &[u8])> {
    let first = *bytes.first()?;
    let more = first.leading_zeros() as usize;
    let (taken, rest) = bytes.get(1..)?.split_at_checked(more)?;
    let lead = if is_size { u64::from(first) & (0x7f >> more) } else { u64::from(first) };
    (more < 8).then(|| (taken.iter().fold(lead, |value, byte| value << 8 | u64::from(*byte)), rest))
}
