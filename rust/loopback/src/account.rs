//! A line: a phone's linked companions, and how the server is told to treat it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Instant,
};

use wafast_protocol::node::Node;

use crate::{app_state::AppState, device::Device, link::Link, live::Pace};

/// Companion numbers fit one byte on the wire.
const MAX_DEVICE: u16 = 250;

/// Why logins are refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub reason: u16,
    /// Of a temporary ban: its code, and when it ends.
    pub ban: Option<(u16, Instant)>,
}

/// How sends are refused.
pub struct SendRefusal {
    pub code: u16,
    /// How many more; without it, all.
    pub left: Option<u32>,
}

/// What a test has asked to go wrong. Not saved.
#[derive(Default)]
pub struct Faults {
    pub refusal: Option<Refusal>,
    pub send_refusal: Option<SendRefusal>,
    pub hold_acks: bool,
    /// Acknowledgements held back, with the connection they are for.
    pub held: Vec<(Weak<Link>, Node)>,
}

/// A line.
#[derive(Default)]
pub struct Account {
    /// Counts the companions ever linked.
    pub key_index: u32,
    pub devices: BTreeMap<u16, Arc<Device>>,
    pub app_state: AppState,
    pub faults: Faults,
    /// How contacts write on their own, if they do.
    pub live: Option<Pace>,
}

impl Account {
    /// The number of the next companion: never one in use, and not the last one given while others are free.
    pub fn next_device(&self) -> u16 {
        let start = (self.key_index % u32::from(MAX_DEVICE)) as u16;
        (0..MAX_DEVICE).map(|n| (start + n) % MAX_DEVICE + 1).find(|n| !self.devices.contains_key(n)).unwrap_or(1)
    }

    /// Why this login is to be refused now; a ban that has ended is forgotten.
    pub fn refusal(&mut self) -> Option<Refusal> {
        let ended = |refusal: &Refusal| refusal.ban.is_some_and(|(_, until)| until <= Instant::now());
        if self.faults.refusal.as_ref().is_some_and(ended) {
            self.faults.refusal = None;
        }
        self.faults.refusal.clone()
    }
}

impl Faults {
    /// The error code this send is to get, if it is to get one.
    pub fn refuse_send(&mut self) -> Option<u16> {
        let refusal = self.send_refusal.as_mut()?;
        let code = refusal.code;
        if let Some(left) = &mut refusal.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.send_refusal = None;
            }
        }
        Some(code)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_send_is_refused_as_often_as_asked() {
        let mut faults = Faults { send_refusal: Some(SendRefusal { code: 463, left: Some(2) }), ..Default::default() };
        assert_eq!([faults.refuse_send(), faults.refuse_send(), faults.refuse_send()], [Some(463), Some(463), None]);
    }

    #[test]
    fn a_ban_ends_by_itself() {
        let mut account = Account::default();
        let refusal = |until| Some(Refusal { reason: 402, ban: Some((101, until)) });
        account.faults.refusal = refusal(Instant::now() + Duration::from_secs(60));
        assert_eq!(account.refusal().map(|refusal| refusal.reason), Some(402));
        account.faults.refusal = refusal(Instant::now());
        assert!(account.refusal().is_none());
    }
}
