//! `Noise_XX_25519_AESGCM_SHA256` as WhatsApp runs it (whatsmeow `handshake.go`, `socket/noisehandshake.go`):
//! the prologue is the four intro bytes, payloads travel in `HandshakeMessage` protobufs, and the server's payload is
//! its certificate chain.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use prost::Message;
use wafast_schema::wa6::{HandshakeMessage, handshake_message};

use crate::{Error, Result, curve::KeyPair, frame, kdf};

const PATTERN: &[u8; 32] = b"Noise_XX_25519_AESGCM_SHA256\0\0\0\0";

/// Hash, chaining key and cipher of a handshake under way.
struct Handshake {
    hash: [u8; 32],
    salt: [u8; 32],
    cipher: Cipher,
}

impl Handshake {
    fn new() -> Self {
        let mut handshake = Self { hash: *PATTERN, salt: *PATTERN, cipher: Cipher::new(PATTERN) };
        handshake.authenticate(&frame::INTRO);
        handshake
    }

    fn authenticate(&mut self, data: &[u8]) {
        self.hash = kdf::sha256(&[&self.hash, data]);
    }

    fn mix(&mut self, secret: &[u8; 32]) {
        let keys: [u8; 64] = kdf::hkdf(secret, &self.salt, &[]);
        self.salt.copy_from_slice(&keys[..32]);
        self.cipher = Cipher::new(keys[32..].try_into().expect("half of 64 bytes"));
    }

    fn seal(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let sealed = self.cipher.seal(plaintext, &self.hash);
        self.authenticate(&sealed);
        sealed
    }

    fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>> {
        let plaintext = self.cipher.open(sealed, &self.hash)?;
        self.authenticate(sealed);
        Ok(plaintext)
    }

    /// The ciphers client → server and server → client.
    fn finish(self) -> (Cipher, Cipher) {
        let keys: [u8; 64] = kdf::hkdf(&[], &self.salt, &[]);
        let cipher = |half: &[u8]| Cipher::new(half.try_into().expect("half of 64 bytes"));
        (cipher(&keys[..32]), cipher(&keys[32..]))
    }
}

/// AES-256-GCM with a counter for nonce, one direction of a connection.
pub struct Cipher {
    aead: Box<Aes256Gcm>,
    counter: u32,
}

impl Cipher {
    fn new(key: &[u8; 32]) -> Self {
        Self { aead: Box::new(Aes256Gcm::new(key.into())), counter: 0 }
    }

    fn nonce(&mut self) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[8..].copy_from_slice(&self.counter.to_be_bytes());
        self.counter = self.counter.wrapping_add(1);
        nonce
    }

    fn seal(&mut self, plaintext: &[u8], aad: &[u8]) -> Vec<u8> {
        let nonce = self.nonce();
        self.aead
            .encrypt(&nonce.into(), Payload { msg: plaintext, aad })
            .expect("a frame is far below AES-GCM's 64 GiB")
    }

    fn open(&mut self, sealed: &[u8], aad: &[u8]) -> Result<Vec<u8>> {
        let nonce = self.nonce();
        self.aead.decrypt(&nonce.into(), Payload { msg: sealed, aad }).map_err(|_| Error::NotAuthentic("noise frame"))
    }

    /// The ciphertext of the next frame.
    #[must_use]
    pub fn encrypt(&mut self, plaintext: &[u8]) -> Vec<u8> {
        self.seal(plaintext, &[])
    }

    /// The plaintext of the next frame.
    ///
    /// # Errors
    /// It was not encrypted by the other side as its next frame.
    pub fn decrypt(&mut self, ciphertext: &[u8]) -> Result<Vec<u8>> {
        self.open(ciphertext, &[])
    }
}

/// What a finished handshake gives.
pub struct Transport {
    pub send: Cipher,
    pub receive: Cipher,
}

/// The server's side between its hello and the client's finish.
pub struct Responder {
    handshake: Handshake,
    ephemeral: KeyPair,
}

impl Responder {
    /// Answers a client hello: the state to go on with and the server hello to send.
    ///
    /// `payload` is the certificate chain whose leaf holds `identity`'s key.
    ///
    /// # Errors
    /// `client_hello` is not a handshake message with an ephemeral key.
    pub fn answer(identity: &KeyPair, payload: &[u8], client_hello: &[u8]) -> Result<(Self, Vec<u8>)> {
        let hello = parse(client_hello)?.client_hello.unwrap_or_default();
        let theirs = key(hello.ephemeral, "client ephemeral")?;
        let ephemeral = KeyPair::generate();
        let mut handshake = Handshake::new();
        handshake.authenticate(&theirs);
        handshake.authenticate(&ephemeral.public);
        handshake.mix(&ephemeral.agree(&theirs));
        let sealed_identity = handshake.seal(&identity.public);
        handshake.mix(&identity.agree(&theirs));
        let sealed_payload = handshake.seal(payload);
        let answer = HandshakeMessage {
            server_hello: Some(handshake_message::ServerHello {
                ephemeral: Some(ephemeral.public.to_vec()),
                r#static: Some(sealed_identity),
                payload: Some(sealed_payload),
                ..Default::default()
            }),
            ..Default::default()
        };
        Ok((Self { handshake, ephemeral }, answer.encode_to_vec()))
    }

    /// Reads the client's finish: the ciphers, the client's static key and its payload (a `ClientPayload`).
    ///
    /// # Errors
    /// It does not belong to this handshake.
    pub fn finish(mut self, client_finish: &[u8]) -> Result<(Transport, [u8; 32], Vec<u8>)> {
        let finish = parse(client_finish)?.client_finish.unwrap_or_default();
        let identity = key(Some(self.handshake.open(&finish.r#static.unwrap_or_default())?), "client static")?;
        self.handshake.mix(&self.ephemeral.agree(&identity));
        let payload = self.handshake.open(&finish.payload.unwrap_or_default())?;
        let (receive, send) = self.handshake.finish();
        Ok((Transport { send, receive }, identity, payload))
    }
}

/// The client's side between its hello and its finish.
pub struct Initiator {
    handshake: Handshake,
    ephemeral: KeyPair,
}

impl Initiator {
    /// The state to go on with and the client hello to send (after [`frame::INTRO`]).
    #[must_use]
    pub fn hello() -> (Self, Vec<u8>) {
        let ephemeral = KeyPair::generate();
        let mut handshake = Handshake::new();
        handshake.authenticate(&ephemeral.public);
        let hello = HandshakeMessage {
            client_hello: Some(handshake_message::ClientHello {
                ephemeral: Some(ephemeral.public.to_vec()),
                ..Default::default()
            }),
            ..Default::default()
        };
        (Self { handshake, ephemeral }, hello.encode_to_vec())
    }

    /// Reads the server hello, lets `check(server static key, payload)` judge it, and gives the ciphers and the client
    /// finish to send.
    ///
    /// # Errors
    /// The hello does not belong to this handshake, or `check` refuses it.
    pub fn finish(
        mut self,
        server_hello: &[u8],
        identity: &KeyPair,
        payload: &[u8],
        check: impl FnOnce(&[u8; 32], &[u8]) -> Result<()>,
    ) -> Result<(Transport, Vec<u8>)> {
        let hello = parse(server_hello)?.server_hello.unwrap_or_default();
        let theirs = key(hello.ephemeral, "server ephemeral")?;
        self.handshake.authenticate(&theirs);
        self.handshake.mix(&self.ephemeral.agree(&theirs));
        let server = key(Some(self.handshake.open(&hello.r#static.unwrap_or_default())?), "server static")?;
        self.handshake.mix(&self.ephemeral.agree(&server));
        check(&server, &self.handshake.open(&hello.payload.unwrap_or_default())?)?;
        let sealed_identity = self.handshake.seal(&identity.public);
        self.handshake.mix(&identity.agree(&theirs));
        let sealed_payload = self.handshake.seal(payload);
        let finish = HandshakeMessage {
            client_finish: Some(handshake_message::ClientFinish {
                r#static: Some(sealed_identity),
                payload: Some(sealed_payload),
                ..Default::default()
            }),
            ..Default::default()
        };
        let (send, receive) = self.handshake.finish();
        Ok((Transport { send, receive }, finish.encode_to_vec()))
    }
}

fn parse(bytes: &[u8]) -> Result<HandshakeMessage> {
    HandshakeMessage::decode(bytes).map_err(|error| Error::malformed("handshake message", error))
}

fn key(bytes: Option<Vec<u8>>, what: &'static str) -> Result<[u8; 32]> {
    let bytes = bytes.unwrap_or_default();
    bytes.as_slice().try_into().map_err(|_| Error::malformed(what, format!("{} bytes instead of 32", bytes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shake() -> (Transport, Transport) {
        let (server, client) = (KeyPair::generate(), KeyPair::generate());
        let (initiator, hello) = Initiator::hello();
        let (responder, answer) = Responder::answer(&server, b"chain", &hello).unwrap();
        let (ours, finish) = initiator
            .finish(&answer, &client, b"payload", |key, payload| {
                assert_eq!((key, payload), (&server.public, b"chain".as_slice()));
                Ok(())
            })
            .unwrap();
        let (theirs, identity, payload) = responder.finish(&finish).unwrap();
        assert_eq!((identity, payload.as_slice()), (client.public, b"payload".as_slice()));
        (ours, theirs)
    }

    #[test]
    fn both_directions_carry_frames_in_order() {
        let (mut client, mut server) = shake();
        for n in 0..5u8 {
            let frame = client.send.encrypt(&[n; 100]);
            assert_eq!(server.receive.decrypt(&frame).unwrap(), [n; 100]);
            let frame = server.send.encrypt(&[n]);
            assert_eq!(client.receive.decrypt(&frame).unwrap(), [n]);
        }
    }

    #[test]
    fn a_changed_or_repeated_frame_is_refused() {
        let (mut client, mut server) = shake();
        let frame = client.send.encrypt(b"once");
        server.receive.decrypt(&frame).unwrap();
        assert!(server.receive.decrypt(&frame).is_err());
        let (mut client, mut server) = shake();
        let mut frame = client.send.encrypt(b"once");
        frame[0] ^= 1;
        assert!(server.receive.decrypt(&frame).is_err());
    }

    #[test]
    fn another_hello_is_refused() {
        assert!(Responder::answer(&KeyPair::generate(), b"", b"\xff\xff").is_err());
        assert!(Responder::answer(&KeyPair::generate(), b"", b"").is_err());
    }
}
