//! Who is who: phone numbers, the LIDs that stand for them, and the devices of a person.

use serde::{Deserialize, Serialize};
use wafast_protocol::node::{Jid, Server};

/// Phone numbers have at most 15 digits (ITU-T E.164), and so do LIDs.
const MODULUS: u128 = 1_000_000_000_000_000;
/// Multiplying by this mixes the digits; it is coprime to the modulus, so that it can be undone.
const FACTOR: u128 = 618_033_988_749_897;
const OFFSET: u128 = 271_828_182_845_904;
/// `FACTOR` to the power φ(10^15) - 1: its inverse.
const INVERSE: u128 = power(FACTOR, 400_000_000_000_000 - 1);

const fn power(mut base: u128, mut exponent: u128) -> u128 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % MODULUS;
        }
        base = base * base % MODULUS;
        exponent >>= 1;
    }
    result
}

/// A phone number as its digits with country code, without `+`.
pub type Phone = u64;

/// Reads a phone number as people write it.
///
/// # Errors
/// It holds other characters than digits, `+`, `-` and blanks, or not 5 to 15 digits.
pub fn parse_phone(text: &str) -> Result<Phone, String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '+' | '-' | ' ')).collect();
    match digits.parse() {
        Ok(phone) if (5..=15).contains(&digits.len()) && !digits.starts_with('0') => Ok(phone),
        _ => Err(format!("{text:?} is no phone number: 5 to 15 digits with the country code, as 60123456789")),
    }
}

/// The LID of a person: the same for ever, and as secret as a simulator needs.
#[must_use]
pub fn lid_of(phone: Phone) -> u64 {
    ((u128::from(phone) * FACTOR + OFFSET) % MODULUS) as u64
}

/// The person behind a LID.
#[must_use]
pub fn phone_of_lid(lid: u64) -> Phone {
    ((u128::from(lid) % MODULUS + MODULUS - OFFSET) % MODULUS * INVERSE % MODULUS) as u64
}

/// The phone-number JID of a person.
#[must_use]
pub fn pn(phone: Phone) -> Jid {
    Jid::pn(phone.to_string())
}

/// The LID JID of a person.
#[must_use]
pub fn lid(phone: Phone) -> Jid {
    Jid::lid(lid_of(phone).to_string())
}

/// One device of a person: 0 is the phone, others are its companions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    pub phone: Phone,
    pub device: u16,
}

impl Address {
    /// The address a JID of a person names; `None` for groups and the server.
    #[must_use]
    pub fn of(jid: &Jid) -> Option<Self> {
        let number: u64 = jid.user.parse().ok()?;
        let phone = match jid.server {
            Server::Pn | Server::Legacy => number,
            Server::Lid => phone_of_lid(number),
            _ => return None,
        };
        Some(Self { phone, device: jid.device })
    }

    /// The LID JID of this device.
    #[must_use]
    pub fn lid(self) -> Jid {
        lid(self.phone).with_device(self.device)
    }

    /// The phone-number JID of this device.
    #[must_use]
    pub fn pn(self) -> Jid {
        pn(self.phone).with_device(self.device)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn people_write_numbers_in_many_ways() {
        assert_eq!(parse_phone("+60 12-345 6789"), Ok(60_123_456_789));
        for wrong in ["", "abc", "012345678", "1234", "1234567890123456"] {
            assert!(parse_phone(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_phone_has_one_lid_and_back(phone in 10_000u64..1_000_000_000_000_000) {
            prop_assert_eq!(phone_of_lid(lid_of(phone)), phone);
            let address = Address { phone, device: 3 };
            prop_assert_eq!(Address::of(&address.lid()), Some(address));
            prop_assert_eq!(Address::of(&address.pn()), Some(address));
        }
    }
}
