//! How contacts react to what they get.

use std::collections::HashMap;

use parking_lot::RwLock;

use crate::address::Phone;

/// A contact's reactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// Milliseconds until the delivery receipt; `None`: never.
    pub deliver_ms: Option<u64>,
    /// Milliseconds until the read receipt; `None`: never.
    pub read_ms: Option<u64>,
    /// What it answers to every message; `{text}` stands for what it got.
    pub reply: Option<String>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { deliver_ms: Some(0), read_ms: None, reply: None }
    }
}

type Pair = (Option<Phone>, Option<Phone>);

/// Behaviours by (line, contact), either of which may be any.
#[derive(Default)]
pub struct Behaviours {
    rules: RwLock<HashMap<Pair, Behaviour>>,
}

impl Behaviours {
    /// Sets how `contact` reacts to `line`; `None` is every one.
    pub fn set(&self, line: Option<Phone>, contact: Option<Phone>, behaviour: Behaviour) {
        self.rules.write().insert((line, contact), behaviour);
    }

    /// How `contact` reacts to `line`: the most particular rule, a contact's before a line's.
    pub fn of(&self, line: Phone, contact: Phone) -> Behaviour {
        let rules = self.rules.read();
        let pairs = [(Some(line), Some(contact)), (None, Some(contact)), (Some(line), None), (None, None)];
        pairs.iter().find_map(|pair| rules.get(pair)).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_particular_rule_wins() {
        let behaviours = Behaviours::default();
        let reading = |read_ms| Behaviour { read_ms: Some(read_ms), ..Behaviour::default() };
        assert_eq!(behaviours.of(1, 2), Behaviour::default());
        behaviours.set(None, None, reading(1));
        behaviours.set(Some(1), None, reading(2));
        behaviours.set(None, Some(2), reading(3));
        behaviours.set(Some(1), Some(2), reading(4));
        let found = [(1, 2), (9, 2), (1, 9), (9, 9)].map(|(line, contact)| behaviours.of(line, contact).read_ms);
        assert_eq!(found, [Some(4), Some(3), Some(2), Some(1)]);
    }
}
