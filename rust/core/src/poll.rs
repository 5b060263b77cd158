//! Polls: what their votes need, and opening those.
//!
//! A vote names options by the SHA-256 of their text and is sealed with the poll's secret; see [`wafast_protocol::secret`].

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, Serializer};
use wafast_protocol::{
    kdf,
    secret::{POLL_VOTE, Purpose},
};

use crate::{
    text::{self, Text},
    wire,
};

/// What somebody voted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ballot {
    /// Hashes of the chosen options, in base64.
    Open(Vec<String>),
    /// As it came, in base64. WhatsApp seals with phone numbers or LIDs: all JIDs that the two people may have had.
    Sealed { payload: String, nonce: String, authors: Vec<String>, voters: Vec<String> },
}

/// `messages.poll`: the secret and the options of a poll, and how many of these may be chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Poll {
    secret: String,
    options: Vec<Choice>,
    /// 0: any number. A poll of an earlier version does not say it.
    #[serde(default)]
    choices: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Choice {
    name: String,
    /// Of the name as it came, which is not always one that can be stored.
    hash: String,
}

/// A poll as its `PollCreationMessage` asks it: the `poll` column, in the making.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question<'a> {
    pub message: &'a [u8],
    pub secret: &'a [u8],
}

impl Serialize for Question<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let options = wire::fields(self.message).filter(|field| field.number == 3).map(|field| {
            let name = wire::bytes_of(field.bytes(), 1);
            Choice { name: text::clean(name).into_owned(), hash: STANDARD.encode(kdf::sha256(&[name])) }
        });
        let choices = u32::try_from(wire::number_of(self.message, 4)).ok();
        Poll { secret: STANDARD.encode(self.secret), options: options.collect(), choices }.serialize(serializer)
    }
}

/// What came of a poll, as a `PollResultSnapshotMessage` says it: the `media` column of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Results<'a> {
    pub message: &'a [u8],
}

/// That column.
#[derive(Serialize)]
struct Column<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    options: Vec<Outcome<'a>>,
}

#[derive(Serialize)]
struct Outcome<'a> {
    name: Text<'a>,
    votes: u32,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let options = wire::repeated(self.message, 2).map(|option| Outcome {
            name: text::clean(wire::bytes_of(option, 1)),
            votes: wire::number_of(option, 2).try_into().unwrap_or(u32::MAX),
        });
        Column { kind: "results", options: options.collect() }.serialize(serializer)
    }
}

/// A `PollVoteMessage` that is not sealed.
#[must_use]
pub fn open_ballot(vote: &[u8]) -> Ballot {
    Ballot::Open(
        wire::fields(vote).filter(|field| field.number == 1).map(|field| STANDARD.encode(field.bytes())).collect(),
    )
}

/// A sealed vote.
#[must_use]
pub fn sealed_ballot(payload: &[u8], nonce: &[u8], authors: Vec<String>, voters: Vec<String>) -> Ballot {
    Ballot::Sealed { payload: STANDARD.encode(payload), nonce: STANDARD.encode(nonce), authors, voters }
}

impl Poll {
    /// The names of the chosen options in the poll's order; None when the ballot can't be opened.
    ///
    /// `authors` and `voters` are further JIDs that the two people may have had.
    #[must_use]
    pub fn chosen(
        &self,
        message_id: &str,
        ballot: &Ballot,
        authors: &[String],
        voters: &[String],
    ) -> Option<Vec<String>> {
        let hashes = match ballot {
            Ballot::Open(hashes) => hashes.clone(),
            Ballot::Sealed { payload, nonce, authors: named, voters: named_voters } => {
                let [secret, payload, nonce] = [&self.secret, payload, nonce].map(|text| STANDARD.decode(text).ok());
                let (secret, payload, nonce) = (secret?, payload?, nonce?);
                let vote = voters.iter().chain(named_voters).find_map(|by| {
                    authors.iter().chain(named).find_map(|author| {
                        Purpose { name: POLL_VOTE, message_id, author, by }.open(&secret, &nonce, &payload)
                    })
                })?;
                match open_ballot(&vote) {
                    Ballot::Open(hashes) => hashes,
                    Ballot::Sealed { .. } => return None,
                }
            }
        };
        let chosen = self.options.iter().filter(|option| hashes.contains(&option.hash));
        Some(chosen.map(|option| option.name.clone()).collect())
    }
}
