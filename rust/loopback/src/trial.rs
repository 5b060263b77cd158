//! A companion in a few lines, on the client half of `wafast-protocol`, against the real server over an in-memory stream.

use std::{path::PathBuf, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::timeout,
};
use wafast_protocol::{
    certificate,
    curve::KeyPair,
    frame::{self, Splitter},
    node::{self, Node, NodeBuilder, NodeExt},
    noise::{Initiator, Transport},
    padding, random,
    signal::{PreKeyMessage, PreKeys, Session},
};
use wafast_schema::{
    Message,
    adv::{AdvSignedDeviceIdentity, AdvSignedDeviceIdentityHmac},
    decode_e2e, e2e, encode_e2e,
    wa6::{ClientPayload, client_payload::DevicePairingRegistrationData},
};

use crate::{
    address::{self, Address, Phone},
    connection, copies,
    message_out::{self, Chat, Letter},
    registration,
    world::{self, World},
};

const LINE: Phone = 60_123_456_789;
const CONTACT: Phone = 60_198_765_432;

/// A world in a folder of its own, which goes with it.
struct Place {
    world: Arc<World>,
    folder: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("wafast-trial-{:x}", u64::from_be_bytes(random::bytes())));
        std::fs::create_dir_all(&folder).unwrap();
        Self { world: Arc::new(World::open(&folder, Some(1)).unwrap()), folder }
    }

    /// As after a stop (`clean`) or a crash.
    fn reopened(mut self, clean: bool) -> Self {
        if clean {
            self.world.journal.close(&self.world).unwrap();
        } else {
            self.world.journal.save(&self.world).unwrap();
        }
        self.world = Arc::new(World::open(&self.folder, None).unwrap());
        self.world.journal.rewrite(&self.world).unwrap();
        self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What a companion keeps.
struct Store {
    noise: KeyPair,
    keys: PreKeys,
    sessions: std::collections::HashMap<Address, Session>,
}

impl Store {
    fn new() -> Self {
        let keys = PreKeys::new(&KeyPair::generate());
        Self { noise: KeyPair::generate(), keys, sessions: Default::default() }
    }

    fn registration(&self) -> ClientPayload {
        let (identity, signed) = (self.keys.identity(), self.keys.signed());
        let data = DevicePairingRegistrationData {
            e_regid: Some(self.keys.registration_id.to_be_bytes().to_vec()),
            e_keytype: Some(vec![5]),
            e_ident: Some(identity.public.to_vec()),
            e_skey_id: Some(vec![0, 0, 1]),
            e_skey_val: Some(signed.public.to_vec()),
            e_skey_sig: Some(identity.sign(&[&[5], signed.public.as_slice()].concat()).to_vec()),
            ..Default::default()
        };
        ClientPayload { device_pairing_data: Some(data), ..Default::default() }
    }

    fn decrypt(&mut self, from: Address, enc: &Node) -> e2e::Message {
        let padded = if enc.text("type").unwrap() == "pkmsg" {
            let first = PreKeyMessage::parse(enc.bytes()).unwrap();
            let session = self.sessions.entry(from).or_insert_with(|| Session::respond(&self.keys, &first));
            if !session.was_built_by(&first) {
                *session = Session::respond(&self.keys, &first);
            }
            session.decrypt(&first.message).unwrap()
        } else {
            self.sessions.get_mut(&from).unwrap().decrypt(enc.bytes()).unwrap()
        };
        decode_e2e(&padding::unpad(padded).unwrap()).unwrap()
    }
}

/// One connection of it.
struct Client {
    stream: DuplexStream,
    splitter: Splitter,
    transport: Transport,
}

impl Client {
    async fn connect(place: &Place, store: &Store, payload: ClientPayload) -> Self {
        let (stream, far) = duplex(64 * 1024);
        let world = Arc::clone(&place.world);
        tokio::spawn(async move { connection::run(&world, far, Vec::new()).await });
        let (initiator, hello) = Initiator::hello();
        let mut raw = (stream, Splitter::default());
        let mut first = frame::INTRO.to_vec();
        first.extend(frame::encode(&hello).unwrap());
        send_raw(&mut raw.0, &first).await;
        let answer = next_raw(&mut raw.0, &mut raw.1).await.unwrap();
        let root = place.world.secrets.root_public();
        let check = |key: &[u8; 32], chain: &[u8]| certificate::verify(chain, &root, key, world::now());
        let (transport, finish) = initiator.finish(&answer, &store.noise, &payload.encode_to_vec(), check).unwrap();
        send_raw(&mut raw.0, &frame::encode(&finish).unwrap()).await;
        Self { stream: raw.0, splitter: raw.1, transport }
    }

    async fn login(place: &Place, store: &Store, device: u16) -> Self {
        Self::login_as(place, store, LINE, device).await
    }

    async fn login_as(place: &Place, store: &Store, line: Phone, device: u16) -> Self {
        let payload = ClientPayload { username: Some(line), device: Some(u32::from(device)), ..Default::default() };
        Self::connect(place, store, payload).await
    }

    async fn send(&mut self, node: Node) {
        let sealed = self.transport.send.encrypt(&node::encode(&node).unwrap());
        send_raw(&mut self.stream, &frame::encode(&sealed).unwrap()).await;
    }

    /// The next stanza, or `None` at the end of the connection.
    async fn next(&mut self) -> Option<Node> {
        let sealed = next_raw(&mut self.stream, &mut self.splitter).await?;
        Some(node::decode(&self.transport.receive.decrypt(&sealed).unwrap()).unwrap())
    }

    /// The next stanza with this tag; others are passed over.
    async fn wait(&mut self, tag: &str) -> Node {
        loop {
            let node = self.next().await.unwrap_or_else(|| panic!("the connection ended before <{tag}>"));
            if node.tag == tag {
                return node;
            }
        }
    }

    async fn ask(&mut self, namespace: &'static str, kind: &'static str, child: Node) -> Node {
        let id = format!("q{}", u32::from_be_bytes(random::bytes()));
        let iq = NodeBuilder::new("iq").attr("xmlns", namespace).attr("type", kind).attr("id", id.as_str());
        self.send(iq.attr("to", node::server_jid()).children([child]).build()).await;
        loop {
            let answer = self.wait("iq").await;
            if answer.text("id").unwrap() == id {
                return answer;
            }
        }
    }

    async fn become_active(&mut self) {
        self.wait("success").await;
        self.ask("passive", "set", NodeBuilder::new("active").build()).await;
    }

    /// The next message that holds text, acknowledged.
    async fn next_text(&mut self, store: &mut Store) -> String {
        loop {
            let message = self.wait("message").await;
            let from = message.jid("from").unwrap();
            let text = store.decrypt(Address::of(&from).unwrap(), message.child(&["enc"]).unwrap()).conversation;
            let receipt = NodeBuilder::new("receipt").attr("to", from).attr("id", message.text("id").unwrap());
            self.send(receipt.build()).await;
            if let Some(text) = text {
                return text;
            }
        }
    }
}

async fn send_raw(stream: &mut DuplexStream, bytes: &[u8]) {
    // a mask of zeros is a mask
    let mut out = vec![0x82, 0x80 | 127];
    out.extend((bytes.len() as u64).to_be_bytes());
    out.extend([0; 4]);
    out.extend(bytes);
    stream.write_all(&out).await.unwrap();
}

/// Reads one WebSocket message, which holds one whole frame.
async fn next_raw(stream: &mut DuplexStream, splitter: &mut Splitter) -> Option<Vec<u8>> {
    let mut head = [0; 2];
    timeout(Duration::from_secs(20), stream.read_exact(&mut head)).await.unwrap().ok()?;
    let length = match head[1] {
        126 => u64::from(stream.read_u16().await.ok()?),
        127 => stream.read_u64().await.ok()?,
        short => u64::from(short),
    };
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).await.ok()?;
    if head[0] & 15 == 8 {
        return None;
    }
    splitter.push(&payload);
    Some(splitter.next_frame().expect("a server sends whole frames"))
}

/// Pairs a new companion of [`LINE`] by its QR code.
async fn pair(place: &Place) -> (Store, u16) {
    let store = Store::new();
    let mut client = Client::connect(place, &store, store.registration()).await;
    let offer = client.wait("iq").await;
    let references = offer.child(&["pair-device"]).unwrap().nodes();
    assert_eq!(references.len(), 6);
    let (identity, secret) = (store.keys.identity(), random::bytes::<32>());
    let key = |key: &[u8; 32]| STANDARD.encode(key);
    let reference = String::from_utf8_lossy(references[0].bytes()).into_owned();
    let qr = format!("{reference},{},{},{},1", key(&store.noise.public), key(&identity.public), key(&secret));
    let outcome = registration::scan(&place.world, LINE, &qr).unwrap();
    let success = client.wait("iq").await;
    let vouched = success.child(&["pair-success", "device-identity"]).unwrap().bytes();
    let vouched = AdvSignedDeviceIdentityHmac::decode(vouched).unwrap();
    let mut signed = AdvSignedDeviceIdentity::decode(vouched.details()).unwrap();
    let message = [&[6, 1], signed.details(), &identity.public, signed.account_signature_key()].concat();
    signed.device_signature = Some(identity.sign(&message).to_vec());
    let signed = NodeBuilder::new("device-identity").bytes(signed.encode_to_vec()).build();
    let answer = NodeBuilder::new("iq").attr("type", "result").attr("id", success.text("id").unwrap());
    client.send(answer.children([NodeBuilder::new("pair-device-sign").children([signed]).build()]).build()).await;
    assert_eq!(client.wait("stream:error").await.text("code").unwrap(), "515");
    (store, outcome.await.unwrap().unwrap().device)
}

fn write(place: &Place, text: &str) {
    write_to(place, LINE, text);
}

fn write_to(place: &Place, line: Phone, text: &str) {
    let letter = Letter::text(CONTACT, Chat::Direct(line), place.world.message_id(), text);
    assert_eq!(message_out::post(&place.world, &letter).unwrap(), 1);
}

/// Sends text to the contact with the keys the server gives.
async fn send_text(client: &mut Client, store: &mut Store, text: &str) -> Node {
    let to = address::lid(CONTACT);
    let address = Address { phone: CONTACT, device: 0 };
    if !store.sessions.contains_key(&address) {
        let user = NodeBuilder::new("user").attr("jid", to.clone()).build();
        let answer = client.ask("encrypt", "get", NodeBuilder::new("key").children([user]).build()).await;
        let user = answer.child(&["list", "user"]).unwrap();
        let bundle = crate::iq::pre_keys::read_bundle(user.child(&["registration"]).unwrap(), user).unwrap();
        let session = Session::initiate(&store.keys.identity(), store.keys.registration_id, &bundle).unwrap();
        store.sessions.insert(address, session);
    }
    let message = e2e::Message { conversation: Some(text.to_owned()), ..Default::default() };
    let sealed = store.sessions.get_mut(&address).unwrap().encrypt(&padding::pad(encode_e2e(&message)));
    let enc = NodeBuilder::new("enc").attr("v", "2").attr("type", sealed.kind).bytes(sealed.bytes).build();
    let part = NodeBuilder::new("to").attr("jid", to.clone()).children([enc]).build();
    let parts = NodeBuilder::new("participants").children([part]).build();
    let id = format!("3EB0{text}");
    client
        .send(NodeBuilder::new("message").attr("to", to).attr("id", id).attr("type", "text").children([parts]).build())
        .await;
    client.wait("ack").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_companion_pairs_logs_in_and_talks() {
    let place = Place::new();
    let (mut store, device) = pair(&place).await;
    let mut client = Client::login(&place, &store, device).await;
    client.become_active().await;
    write(&place, "hello");
    assert_eq!(client.next_text(&mut store).await, "hello");
    assert!(send_text(&mut client, &mut store, "back").await.text("error").is_none());
    let got = place.world.inbox.read(0, Duration::from_secs(10), |_| true).await;
    assert_eq!((got[0].text.as_str(), got[0].contact, got[0].phone), ("back", CONTACT, LINE));
    write(&place, "again");
    assert_eq!(client.next_text(&mut store).await, "again");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_paired_noise_key_logs_in() {
    let place = Place::new();
    let (store, device) = pair(&place).await;
    for (stranger, device) in [(Store::new(), device), (store, device + 1)] {
        let mut client = Client::login(&place, &stranger, device).await;
        assert_eq!(client.next().await.unwrap().text("reason").unwrap(), "401");
        assert!(client.next().await.is_none(), "and the connection ends");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_comes_in_order_after_a_clean_stop_and_after_a_crash() {
    for clean in [true, false] {
        let mut place = Place::new();
        let (mut store, device) = pair(&place).await;
        let mut client = Client::login(&place, &store, device).await;
        client.become_active().await;
        write(&place, "first");
        assert_eq!(client.next_text(&mut store).await, "first");
        send_text(&mut client, &mut store, "known").await;
        drop(client);
        while place.world.devices(LINE)[0].link().is_some() {
            tokio::task::yield_now().await;
        }
        (0..3).for_each(|n| write(&place, &format!("waiting {n}")));
        place = place.reopened(clean);
        let mut client = Client::login(&place, &store, device).await;
        client.become_active().await;
        for n in 0..3 {
            assert_eq!(client.next_text(&mut store).await, format!("waiting {n}"), "clean: {clean}");
        }
        write(&place, "new");
        assert_eq!(client.next_text(&mut store).await, "new", "clean: {clean}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_companion_logs_in_under_its_number_and_gets_its_messages() {
    let mut place = Place::new();
    let (mut store, device) = pair(&place).await;
    let other = LINE + 1;
    let copied = copies::copy(&place.world, LINE, &[other]).unwrap();
    assert_eq!((copied[0].phone.as_str(), copied[0].device), ("60123456790", device));
    assert!(copies::copy(&place.world, LINE, &[LINE]).is_err());
    place = place.reopened(true);
    let mut client = Client::login_as(&place, &store, other, device).await;
    client.become_active().await;
    write(&place, "for the first");
    write_to(&place, other, "for the copy");
    assert_eq!(client.next_text(&mut store).await, "for the copy");
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_of_a_stranger_ends_the_connection() {
    let place = Place::new();
    let (mut stream, far) = duplex(1024);
    let world = Arc::clone(&place.world);
    let ended = tokio::spawn(async move { connection::run(&world, far, Vec::new()).await });
    send_raw(&mut stream, b"GET / HTTP/1.1\r\n\r\n").await;
    assert!(timeout(Duration::from_secs(10), ended).await.unwrap().unwrap().is_err());
}
