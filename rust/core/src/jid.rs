//! JIDs as the tables hold them.

use std::fmt;

use crate::{text, wire};

/// The part behind the `@`. The discriminants are the low bits of `messages.sender`; SQL's `jid_of()` has the same list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Server {
    Phone = 0,
    Lid = 1,
    Group = 2,
    Broadcast = 3,
    Newsletter = 4,
    Hosted = 5,
    HostedLid = 6,
    Other = 7,
}

impl Server {
    const ALL: [Self; 8] = [
        Self::Phone,
        Self::Lid,
        Self::Group,
        Self::Broadcast,
        Self::Newsletter,
        Self::Hosted,
        Self::HostedLid,
        Self::Other,
    ];
    const NAMES: [&'static str; 8] =
        ["s.whatsapp.net", "lid", "g.us", "broadcast", "newsletter", "hosted", "hosted.lid", "unknown"];

    fn parse(name: &[u8]) -> Self {
        match name {
            // Who has WhatsApp host the devices of a business is the same person still.
            b"s.whatsapp.net" | b"c.us" | b"hosted" => Self::Phone,
            b"lid" | b"hosted.lid" => Self::Lid,
            b"g.us" => Self::Group,
            b"broadcast" => Self::Broadcast,
            b"newsletter" => Self::Newsletter,
            _ => Self::Other,
        }
    }
}

/// A person, group or list, without device suffix.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Jid {
    pub user: String,
    pub server: Server,
}

impl Jid {
    /// From neonize's `JID` message: 1 user, 5 server. None when it is empty.
    #[must_use]
    pub fn from_event(bytes: &[u8]) -> Option<Self> {
        let fields = wire::table::<6>(bytes);
        let user = text::clean(fields.bytes(1));
        (!user.is_empty()).then(|| Self { user, server: Server::parse(fields.bytes(5)) })
    }

    /// From text; the device suffix falls off. None when there is no user.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (user, server) = text.split_once('@')?;
        let user = user.split([':', '.']).next().unwrap_or_default();
        (!user.is_empty()).then(|| Self { user: user.replace('\0', ""), server: Server::parse(server.as_bytes()) })
    }

    /// As `messages.sender` holds it: `number << 3 | server`, 0 when the user is no number of at most 60 bits.
    #[must_use]
    pub fn packed(&self) -> i64 {
        match self.user.parse::<i64>() {
            Ok(number) if number > 0 && number < 1 << 60 => number << 3 | self.server as i64,
            _ => 0,
        }
    }

    /// The JID that [`Self::packed`] gave this for; None for 0.
    #[must_use]
    pub fn unpacked(packed: i64) -> Option<Self> {
        let server = Server::ALL[usize::try_from(packed & 7).ok()?];
        (packed > 0).then(|| Self { user: (packed >> 3).to_string(), server })
    }

    /// The user part as a number, for the LID map.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        self.user.parse().ok()
    }

    #[must_use]
    pub fn is_group(&self) -> bool {
        self.server == Server::Group
    }

    #[must_use]
    pub fn is_lid(&self) -> bool {
        self.server == Server::Lid
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, Server::NAMES[self.server as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(Jid::parse("123-456@g.us").unwrap().packed(), 0);
        assert_eq!(Jid::parse("@lid"), None);
        assert_eq!(Jid::parse("nothing"), None);
    }
}
