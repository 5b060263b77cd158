//! Signal's protocol as WhatsApp uses it (signal.org/docs: X3DH, Double Ratchet; wire format of libsignal v3).

mod bundle;
mod sender_key;
mod session;
mod wire;

pub use bundle::{Bundle, PreKeys};
pub use sender_key::{SenderKeyReceiver, SenderKeySender};
pub use session::{Ciphertext, Session};
pub use wire::PreKeyMessage;
