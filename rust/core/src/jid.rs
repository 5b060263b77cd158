//! JIDs as the tables hold them.

use std::fmt;

use crate::{text, wire};

/// The part behind the `@`. The discriminants are the low bits of `messages.sender`; SQL's `jid_of()` has the same list.
/// Three bits are eight servers: who is on any other keeps its name as text, in the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Server {
    Phone = 0,
    Lid = 1,
    Group = 2,
    Broadcast = 3,
    Newsletter = 4,
    Bot = 5,
    Interop = 6,
    Other = 7,
}

impl Server {
    const ALL: [Self; 8] =
        [Self::Phone, Self::Lid, Self::Group, Self::Broadcast, Self::Newsletter, Self::Bot, Self::Interop, Self::Other];
    const NAMES: [&'static str; 8] =
        ["s.whatsapp.net", "lid", "g.us", "broadcast", "newsletter", "bot", "interop", "unknown"];

    fn parse(name: &[u8]) -> Self {
        match name {
            // Who has WhatsApp host the devices of a business is the same person still.
            b"s.whatsapp.net" | b"c.us" | b"hosted" => Self::Phone,
            b"lid" | b"hosted.lid" => Self::Lid,
            b"g.us" => Self::Group,
            b"broadcast" => Self::Broadcast,
            b"newsletter" => Self::Newsletter,
            b"bot" => Self::Bot,
            b"interop" => Self::Interop,
            _ => Self::Other,
        }
    }
}

/// The part before the `@`: a number in nearly every JID, which then needs no memory of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum User {
    Number(u64),
    Text(Box<str>),
}

/// WhatsApp itself, `0@s.whatsapp.net`, as [`Jid::packed`] holds it: nobody else is 0 on any server.
const WHATSAPP: i64 = 7;
/// More digits are more than 60 bits.
const MAX_DIGITS: usize = 19;

impl User {
    /// None when it is empty.
    fn parse(bytes: &[u8]) -> Option<Self> {
        Self::number(bytes).or_else(|| {
            // In text a device suffix would begin there, so that the table could not give it back.
            let text = text::clean(bytes);
            let user = text.split([':', '.', '@']).next().unwrap_or_default();
            // What is cut or cleaned may be a number now.
            Self::number(user.as_bytes()).or_else(|| (!user.is_empty()).then(|| Self::Text(user.into())))
        })
    }

    /// Digits that say the same as a number of 60 bits: no leading zero.
    fn number(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_DIGITS || !matches!(bytes.first(), Some(b'1'..=b'9')) {
            return None;
        }
        let mut number = 0u64;
        for byte in bytes {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            number = number * 10 + u64::from(digit);
        }
        (number < 1 << 60).then_some(Self::Number(number))
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A person, group or list, without device suffix.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Jid {
    pub user: User,
    pub server: Server,
}

impl Jid {
    /// From neonize's `JID` message: 1 user, 5 server. None when it is empty.
    #[must_use]
    pub fn from_event(bytes: &[u8]) -> Option<Self> {
        // Two of three JIDs in an event are none, and begin like this.
        if bytes.starts_with(&[0x0a, 0]) {
            return None;
        }
        let (mut user, mut server) = (&[][..], &[][..]);
        for field in wire::fields(bytes) {
            match field.number {
                1 => user = field.bytes(),
                5 => server = field.bytes(),
                _ => {}
            }
        }
        Self::of(user, server)
    }

    fn of(user: &[u8], name: &[u8]) -> Option<Self> {
        let user = User::parse(user)?;
        let server = match Server::parse(name) {
            // Cleaned it may be one that is known; cleaning all was a twentieth of decoding.
            Server::Other => Server::parse(text::clean(name).as_bytes()),
            known => known,
        };
        if server != Server::Other {
            return Some(Self { user, server });
        }
        let name = text::some(name).unwrap_or_else(|| "unknown".into());
        Some(Self { user: User::Text(format!("{user}@{name}").into()), server })
    }

    /// From text; the device suffix falls off. None when there is no user.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (user, server) = text.split_once('@')?;
        // A number with a device suffix is a number.
        let user = user.split([':', '.']).next().unwrap_or_default();
        Self::of(user.as_bytes(), server.as_bytes())
    }

    /// The JID of the person with this phone number.
    #[must_use]
    pub fn of_number(number: i64) -> Self {
        Self { user: User::Number(number.unsigned_abs()), server: Server::Phone }
    }

    /// The JID of the person with this LID.
    #[must_use]
    pub fn of_lid(lid: i64) -> Self {
        Self { user: User::Number(lid.unsigned_abs()), server: Server::Lid }
    }

    /// As `messages.sender` holds it: `number << 3 | server`, 0 when the user is no number of at most 60 bits or the server
    /// is none of those with a number; WhatsApp itself, whose number would be 0, has one of its own.
    #[must_use]
    pub fn packed(&self) -> i64 {
        if self.is_whatsapp() {
            return WHATSAPP;
        }
        self.number().map_or(0, |number| number << 3 | self.server as i64)
    }

    /// The JID that [`Self::packed`] gave this for; None for 0.
    #[must_use]
    pub fn unpacked(packed: i64) -> Option<Self> {
        if packed == WHATSAPP {
            return Some(Self { user: User::Text("0".into()), server: Server::Phone });
        }
        let server = Server::ALL[usize::try_from(packed & 7).ok()?];
        (packed > 0 && server != Server::Other)
            .then(|| Self { user: User::Number((packed >> 3).cast_unsigned()), server })
    }

    /// The user part as a number of at most 60 bits.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        match self.user {
            User::Number(number) => Some(number.cast_signed()),
            User::Text(_) => None,
        }
    }

    #[must_use]
    pub fn is_group(&self) -> bool {
        self.server == Server::Group
    }

    /// WhatsApp itself, which tells people of their account.
    #[must_use]
    pub fn is_whatsapp(&self) -> bool {
        self.server == Server::Phone && matches!(&self.user, User::Text(user) if **user == *"0")
    }

    #[must_use]
    pub fn is_lid(&self) -> bool {
        self.server == Server::Lid
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.server {
            Server::Other => self.user.fmt(f),
            server => write!(f, "{}@{}", self.user, Server::NAMES[server as usize]),
        }
    }
}

impl serde::Serialize for Jid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    /// What is in JIDs, and what is taken out of them.
    fn odd() -> impl Strategy<Value = Vec<u8>> {
        vec(select(b"012a :.@\0\xff".to_vec()), 0..6)
    }

    proptest! {
        /// A chat is found again by its text in the table.
        #[test]
        fn any_jid_is_what_its_text_says(user in odd(), known in select(Server::NAMES.to_vec()), more in odd()) {
            let server = [known.as_bytes(), &more].concat();
            let Some(jid) = Jid::of(&user, &server) else { return Ok(()) };
            prop_assert_eq!(Jid::parse(&jid.to_string()), Some(jid));
        }
    }

    #[test]
    fn text_and_packed_forms() {
        let jid = Jid::parse("60123456789:12@s.whatsapp.net").unwrap();
        assert_eq!((jid.to_string().as_str(), jid.packed()), ("60123456789@s.whatsapp.net", 60_123_456_789 << 3));
        assert_eq!(Jid::parse("900@lid").unwrap().packed(), 900 << 3 | 1);
        assert_eq!(Jid::parse("60123456789:99@hosted").unwrap(), jid);
        assert_eq!(Jid::parse("900:99@hosted.lid"), Jid::parse("900@lid"));
        assert_eq!(Jid::unpacked(jid.packed()), Some(jid));
        assert_eq!(Jid::unpacked(900 << 3 | 1), Jid::parse("900@lid"));
        assert_eq!(Jid::unpacked(0), None);
        let whatsapp = Jid::parse("0@s.whatsapp.net").unwrap();
        assert_eq!(Jid::unpacked(whatsapp.packed()), Some(whatsapp));
        assert_eq!(Jid::parse("123-456@g.us").unwrap().packed(), 0);
        assert_eq!(Jid::parse("@lid"), None);
        assert_eq!(Jid::parse("nothing"), None);
        assert_eq!(Jid::parse("867051314767696@bot").unwrap().packed(), 867_051_314_767_696 << 3 | 5);
        // A server nobody has told us of keeps its name.
        for foreign in ["42@msgr", "42@somewhere.new", "867051314767696@bot", "7@interop"] {
            let jid = Jid::parse(foreign).unwrap();
            assert_eq!((jid.to_string().as_str(), Jid::parse(&jid.to_string())), (foreign, Some(jid)));
        }
        assert_eq!(Jid::parse("42@msgr").unwrap().packed(), 0);
        // Digits that a number would not give back stay as they are.
        assert_eq!(Jid::parse("1152921504606846975@lid").unwrap().number(), Some((1 << 60) - 1));
        assert_eq!(Jid::parse("1152921504606846976@lid").unwrap().packed(), 0);
        for odd in ["0123@lid", "0@lid", "+60123@s.whatsapp.net", "1234567890123456789@g.us"] {
            assert_eq!(Jid::parse(odd).unwrap().to_string(), odd);
        }
    }
}
