//! Voice notes as WhatsApp wants them: Opus in Ogg, with their length and how loud they are.
//!
//! Browsers record Opus too, but most put it into WebM; the packets are the same, so nothing is decoded here.

#![cfg_attr(clippy, deny(warnings))]

mod packet;
mod waveform;
mod webm;

use std::io::Cursor;

use ogg::{PacketReader, PacketWriteEndInfo, PacketWriter};

pub use waveform::STEPS;

const WEBM: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];
const OGG: &[u8] = b"OggS";
/// Opus counts time at this rate, whatever was recorded.
const RATE: u64 = 48_000;
/// Packets on one page of Ogg: a second of speech.
const PAGE: usize = 50;
/// One stream a file: any number does.
const SERIAL: u32 = 1;
/// Ogg counts packets here that hold silence of minutes; a voice note has hours at most.
const LONGEST: u64 = RATE * 60 * 60 * 4;

/// Why bytes are no voice note.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refused {
    #[error("it is neither Ogg nor WebM")]
    Unknown,
    #[error("there is no Opus sound in it")]
    NoOpus,
    #[error("it is damaged: {0}")]
    Damaged(String),
}

/// A voice note.
#[derive(Debug, PartialEq, Eq)]
pub struct Voice {
    /// An Ogg file.
    pub ogg: Vec<u8>,
    /// Rounded, and at least one.
    pub seconds: u32,
    /// From 0 to 100.
    pub waveform: [u8; STEPS],
}

/// What a file holds: the stream's `OpusHead`, and its packets.
struct Stream {
    head: Vec<u8>,
    packets: Vec<Vec<u8>>,
}

/// Makes a voice note of what a browser recorded, or of an Ogg file.
///
/// # Errors
/// It is no such file, or is damaged.
pub fn voice(file: &[u8]) -> Result<Voice, Refused> {
    let stream = match file {
        _ if file.starts_with(&WEBM) => from_webm(file)?,
        _ if file.starts_with(OGG) => from_ogg(file)?,
        _ => return Err(Refused::Unknown),
    };
    if !stream.head.starts_with(b"OpusHead") || stream.packets.is_empty() {
        return Err(Refused::NoOpus);
    }
    let samples: u64 = stream.packets.iter().map(|packet| packet::samples(packet)).sum();
    if samples > LONGEST {
        return Err(Refused::Damaged(format!("it says to last {} hours", samples / RATE / 3600)));
    }
    Ok(Voice {
        seconds: u32::try_from((samples + RATE / 2) / RATE).unwrap_or(u32::MAX).max(1),
        waveform: waveform::of(&stream.packets),
        ogg: to_ogg(stream).map_err(|error| Refused::Damaged(error.to_string()))?,
    })
}

fn from_webm(file: &[u8]) -> Result<Stream, Refused> {
    let (head, packets) = webm::read(file)?;
    Ok(Stream { head: head.to_vec(), packets: packets.into_iter().map(<[u8]>::to_vec).collect() })
}

fn from_ogg(file: &[u8]) -> Result<Stream, Refused> {
    let mut reader = PacketReader::new(Cursor::new(file));
    let mut packets = Vec::new();
    while let Ok(Some(packet)) = reader.read_packet() {
        packets.push(packet.data);
    }
    if packets.len() < 2 {
        return Err(Refused::Damaged("it ends before any sound".to_owned()));
    }
    let sound = packets.split_off(2);
    Ok(Stream { head: packets.swap_remove(0), packets: sound })
}

fn to_ogg(stream: Stream) -> std::io::Result<Vec<u8>> {
    let mut writer = PacketWriter::new(Vec::new());
    writer.write_packet(stream.head, SERIAL, PacketWriteEndInfo::EndPage, 0)?;
    writer.write_packet(tags(), SERIAL, PacketWriteEndInfo::EndPage, 0)?;
    let (last, mut at) = (stream.packets.len() - 1, 0);
    for (n, packet) in stream.packets.into_iter().enumerate() {
        at += packet::samples(&packet);
        let end = match n {
            _ if n == last => PacketWriteEndInfo::EndStream,
            _ if n % PAGE == PAGE - 1 => PacketWriteEndInfo::EndPage,
            _ => PacketWriteEndInfo::NormalPacket,
        };
        writer.write_packet(packet, SERIAL, end, at)?;
    }
    Ok(writer.into_inner())
}

/// `OpusTags` without a tag.
fn tags() -> Vec<u8> {
    const VENDOR: &[u8] = b"wafast";
    let mut tags = b"OpusTags".to_vec();
    tags.extend((VENDOR.len() as u32).to_le_bytes());
    tags.extend(VENDOR);
    tags.extend(0u32.to_le_bytes());
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `OpusHead` of one channel.
    const HEAD: &[u8] = b"OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00";
    const SEEK_HEAD: [u8; 4] = [0x11, 0x4d, 0x9b, 0x74];
    /// A packet of 20 ms (CELT, one frame).
    const PACKET_20_MS: u8 = 0xf8;

    fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
        let size = (content.len() as u64 | 1 << 56).to_be_bytes();
        [id, &size, content].concat()
    }

    /// A WebM file as Chromium's recorder writes it, with packets of these sizes.
    fn webm(sizes: &[usize]) -> Vec<u8> {
        let kind = [element(&[0x42, 0x82], b"webm"), element(&[0x42, 0x87], &[4]), element(&[0x42, 0x85], &[2])];
        let header = element(&WEBM, &kind.concat());
        let audio = element(&[0xe1], &element(&[0x9f], &[1]));
        let track = [
            element(&[0xd7], &[1]),
            element(&[0x73, 0xc5], &[1]),
            element(&[0x83], &[2]),
            element(&[0x86], b"A_OPUS"),
            element(&[0x63, 0xa2], HEAD),
            audio,
        ];
        let tracks = element(&[0x16, 0x54, 0xae, 0x6b], &element(&[0xae], &track.concat()));
        let about = [
            element(&[0x2a, 0xd7, 0xb1], &[0x0f, 0x42, 0x40]),
            element(&[0x4d, 0x80], b"Chrome"),
            element(&[0x57, 0x41], b"Chrome"),
        ];
        let info = element(&[0x15, 0x49, 0xa9, 0x66], &about.concat());
        let blocks = sizes.iter().enumerate().map(|(n, size)| {
            let at = u16::try_from(n * 20).unwrap().to_be_bytes();
            let packet = [vec![PACKET_20_MS], vec![7; size - 1]].concat();
            element(&[0xa3], &[&[0x81], &at[..], &[0x80], &packet].concat())
        });
        let cluster = [vec![element(&[0xe7], &[0])], blocks.collect()].concat().concat();
        let segment = [info, tracks, element(&[0x1f, 0x43, 0xb6, 0x75], &cluster)].concat();
        [header, element(&[0x18, 0x53, 0x80, 0x67], &segment)].concat()
    }

    #[test]
    fn a_recording_in_webm_becomes_ogg_of_the_same_packets() {
        let sizes: Vec<usize> = (0..100).map(|n| if n < 50 { 12 } else { 120 }).collect();
        let made = voice(&webm(&sizes)).unwrap();
        assert_eq!(made.seconds, 2);
        assert!(made.waveform[..30].iter().all(|step| *step < 10), "{:?}", made.waveform);
        assert!(made.waveform[34..].iter().all(|step| *step > 90), "{:?}", made.waveform);
        let stream = from_ogg(&made.ogg).unwrap();
        assert_eq!(stream.head, HEAD);
        assert_eq!(stream.packets.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
    }

    #[test]
    fn a_recording_of_unknown_size_ends_where_it_was_cut_off() {
        let mut file = webm(&[12; 10]);
        // Of the segment and of its cluster, as browsers write what they do not know yet.
        for id in [&[0x18, 0x53, 0x80, 0x67], &[0x1f, 0x43, 0xb6, 0x75]] {
            let at = file.windows(4).position(|four| four == id).unwrap() + 4;
            file.splice(at..at + 8, [1, 255, 255, 255, 255, 255, 255, 255]);
        }
        let packets = |file: &[u8]| from_webm(file).unwrap().packets.len();
        assert_eq!((packets(&file), packets(&file[..file.len() - 1])), (10, 9));
    }

    #[test]
    fn a_table_of_contents_that_leads_to_itself_is_passed_over() {
        let seek = element(&[0x4d, 0xbb], &[element(&[0x53, 0xab], &SEEK_HEAD), element(&[0x53, 0xac], &[0])].concat());
        let mut file = webm(&[12; 10]);
        let inside = file.windows(4).position(|four| four == [0x18, 0x53, 0x80, 0x67]).unwrap() + 12;
        file.splice(inside..inside, element(&SEEK_HEAD, &seek));
        assert_eq!(voice(&file), voice(&webm(&[12; 10])));
    }

    #[test]
    fn what_is_ogg_already_stays_the_same() {
        let first = voice(&webm(&[30; 130])).unwrap();
        assert_eq!(voice(&first.ogg).unwrap(), first);
    }

    #[test]
    fn what_is_no_voice_note_says_why() {
        assert_eq!(voice(b"RIFF\0\0\0\0WAVE"), Err(Refused::Unknown));
        assert_eq!(voice(&webm(&[])), Err(Refused::NoOpus));
        assert_eq!(voice(&WEBM), Err(Refused::NoOpus));
        assert!(matches!(voice(b"OggS"), Err(Refused::Damaged(_))));
    }

    #[test]
    fn a_file_cut_or_changed_anywhere_never_panics() {
        let (webm, ogg) = (webm(&[30; 20]), voice(&webm(&[30; 20])).unwrap().ogg);
        for file in [webm, ogg] {
            for at in 0..file.len() {
                let _ = voice(&file[..at]);
                for value in [0, 0x7f, 0xff] {
                    let mut changed = file.clone();
                    changed[at] = value;
                    let _ = voice(&changed);
                }
            }
        }
    }
}
