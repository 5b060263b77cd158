//! Nodes, the XML-like stanzas of WhatsApp, and their binary form.
//!
//! The codec is `wacore-binary`'s. Facts to build by: every JID must be a JID value, never a string; numbers are
//! strings; binary content stays bytes (whatsmeow asserts these types and drops a node that has others).

pub use wacore_binary::{
    builder::NodeBuilder,
    jid::{Jid, Server},
    node::{Node, NodeContent, NodeValue},
};

use crate::{Error, Result};

/// The server itself, as `from` of most stanzas.
#[must_use]
pub fn server_jid() -> Jid {
    Jid::new("", Server::Pn)
}

/// The plaintext of a frame: a flag byte and the node.
///
/// # Errors
/// A string or list is longer than the format can say.
pub fn encode(node: &Node) -> Result<Vec<u8>> {
    wacore_binary::marshal::marshal(node).map_err(|error| Error::malformed("node", error))
}

/// The node of a frame's plaintext, inflated when the flag byte says so (at most to 16 MiB).
///
/// # Errors
/// The bytes are not one whole node.
pub fn decode(plaintext: &[u8]) -> Result<Node> {
    let bytes = wacore_binary::util::unpack(plaintext).map_err(|error| Error::malformed("frame", error))?;
    let node = wacore_binary::marshal::unmarshal_ref(&bytes).map_err(|error| Error::malformed("node", error))?;
    Ok(node.to_owned())
}

/// Reading a node that came from the other side.
pub trait NodeExt {
    /// Attribute as text, however it was encoded.
    fn text(&self, key: &str) -> Option<String>;
    /// Attribute as JID.
    fn jid(&self, key: &str) -> Option<Jid>;
    /// Attribute as text.
    ///
    /// # Errors
    /// It is missing.
    fn need_text(&self, key: &'static str) -> Result<String>;
    /// Attribute as JID.
    ///
    /// # Errors
    /// It is missing or no JID.
    fn need_jid(&self, key: &'static str) -> Result<Jid>;
    /// Child by tag, through several levels.
    fn child(&self, path: &[&str]) -> Option<&Node>;
    /// Child by tag.
    ///
    /// # Errors
    /// There is none.
    fn need_child(&self, tag: &'static str) -> Result<&Node>;
    /// The children; none when the content is something else.
    fn nodes(&self) -> &[Node];
    /// Binary content; text content counts as its bytes.
    fn bytes(&self) -> &[u8];
    /// Content of exactly `N` bytes.
    ///
    /// # Errors
    /// It has another length.
    fn array<const N: usize>(&self, what: &'static str) -> Result<[u8; N]>;
}

impl NodeExt for Node {
    fn text(&self, key: &str) -> Option<String> {
        self.attrs.get(key).map(|value| value.as_str().into_owned())
    }

    fn jid(&self, key: &str) -> Option<Jid> {
        self.attrs.get(key).and_then(NodeValue::to_jid)
    }

    fn need_text(&self, key: &'static str) -> Result<String> {
        self.text(key).ok_or_else(|| missing(self, key))
    }

    fn need_jid(&self, key: &'static str) -> Result<Jid> {
        self.jid(key).ok_or_else(|| missing(self, key))
    }

    fn child(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, tag| node.get_optional_child(tag))
    }

    fn need_child(&self, tag: &'static str) -> Result<&Node> {
        self.get_optional_child(tag).ok_or_else(|| missing(self, tag))
    }

    fn nodes(&self) -> &[Node] {
        self.children().unwrap_or_default()
    }

    fn bytes(&self) -> &[u8] {
        match &self.content {
            Some(NodeContent::Bytes(bytes)) => bytes,
            Some(NodeContent::String(text)) => text.as_bytes(),
            _ => &[],
        }
    }

    fn array<const N: usize>(&self, what: &'static str) -> Result<[u8; N]> {
        let bytes = self.bytes();
        bytes.try_into().map_err(|_| Error::malformed(what, format!("{} bytes instead of {N}", bytes.len())))
    }
}

fn missing(node: &Node, what: &str) -> Error {
    Error::malformed("node", format!("<{}> has no {what}", node.tag))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_stanza_survives_the_wire() {
        let node = NodeBuilder::new("message")
            .attr("from", Jid::lid("12345"))
            .attr("sender_pn", Jid::pn_device("60123456789", 7))
            .attr("id", "3EB0ABCDEF")
            .attr("t", "1700000000")
            .children([NodeBuilder::new("enc").attr("v", "2").bytes(vec![0, 255, 5]).build()])
            .build();
        let back = decode(&encode(&node).unwrap()).unwrap();
        assert_eq!(back.jid("sender_pn").unwrap(), Jid::pn_device("60123456789", 7));
        assert_eq!(back.text("id").unwrap(), "3EB0ABCDEF");
        assert_eq!(back.child(&["enc"]).unwrap().bytes(), [0, 255, 5]);
        assert!(back.need_child("nothing").unwrap_err().to_string().contains("<message> has no nothing"));
    }

    #[test]
    fn the_server_is_a_jid_without_user() {
        let node = NodeBuilder::new("iq").attr("from", server_jid()).build();
        let bytes = encode(&node).unwrap();
        // 250 = JID pair, 0 = no user: whatsmeow compares it as a JID (pair.go)
        assert!(bytes.windows(2).any(|pair| pair == [250, 0]), "{bytes:?}");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = decode(&bytes);
        }
    }
}
