//! A connection that is not linked yet: it shows QR codes, or waits for its code to be typed on a phone.

use std::sync::{Arc, Weak};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use wafast_protocol::{
    curve::{self, KeyPair},
    node::{self, Node, NodeBuilder, NodeExt},
    pairing::{self, QrCode},
    random,
};
use wafast_schema::wa6::client_payload::DevicePairingRegistrationData;

use crate::{
    address::{Address, Phone},
    device::{Device, Keys},
    link::Link,
    notification, reply,
    world::{self, World},
};

/// whatsmeow shows the first for 60 s and the others for 20 s each when it gets six (`qrchan.go`).
const REFERENCES: usize = 6;

/// How a pairing ended: the new companion's address, or why not.
pub type Outcome = Result<Address, String>;

/// A companion has asked for a code to be typed on its phone.
struct CodeRequest {
    wrapped_ephemeral: Vec<u8>,
    reference: String,
    phone: Phone,
    /// Our ephemeral key and the companion's, once the code was typed.
    exchange: Option<(KeyPair, [u8; 32])>,
}

/// The phone has agreed; the companion is to sign.
struct Agreement {
    iq_id: String,
    device: Arc<Device>,
}

#[derive(Default)]
struct Progress {
    references: Vec<String>,
    code: Option<CodeRequest>,
    agreement: Option<Agreement>,
    outcome: Option<oneshot::Sender<Outcome>>,
}

/// A connection that is not linked yet.
pub struct Registration {
    link: Arc<Link>,
    noise_key: [u8; 32],
    keys: Keys,
    progress: Mutex<Progress>,
    me: Weak<Self>,
}

impl Registration {
    /// Reads what the client says of itself and sends it references for its QR codes.
    ///
    /// # Errors
    /// A key is missing or its signature is wrong.
    pub fn begin(
        world: &World,
        link: &Arc<Link>,
        noise_key: [u8; 32],
        data: &DevicePairingRegistrationData,
    ) -> Result<Arc<Self>, String> {
        let references: Vec<String> =
            (0..REFERENCES).map(|_| format!("2@{}", URL_SAFE_NO_PAD.encode(random::bytes::<60>()))).collect();
        let keys = keys(data)?;
        let registration = Arc::new_cyclic(|me| Self {
            link: Arc::clone(link),
            noise_key,
            keys,
            progress: Mutex::new(Progress { references: references.clone(), ..Progress::default() }),
            me: Weak::clone(me),
        });
        let mut known = world.references.lock();
        for reference in &references {
            known.insert(reference.clone(), Arc::downgrade(&registration));
        }
        drop(known);
        let nodes = references.into_iter().map(|text| NodeBuilder::new("ref").bytes(text).build());
        let pair_device = NodeBuilder::new("pair-device").children(nodes).build();
        link.send(&set_iq(world.stanza_id(), pair_device));
        Ok(registration)
    }

    /// The connection has ended.
    pub fn end(&self, world: &World) {
        let progress = std::mem::take(&mut *self.progress.lock());
        let mut known = world.references.lock();
        progress.references.iter().for_each(|reference| drop(known.remove(reference)));
        drop(known);
        if let Some(outcome) = progress.outcome {
            let _ = outcome.send(Err("the device hung up before it was linked".to_owned()));
        }
    }

    /// An IQ of the client that only makes sense here; false when it is another.
    pub fn take_iq(&self, world: &World, iq: &Node) -> bool {
        match iq.text("type").as_deref() {
            Some("result" | "error") => self.take_signature(world, iq),
            _ => match iq.child(&["link_code_companion_reg"]) {
                Some(step) => self.take_code_step(world, iq, step),
                None => return false,
            },
        }
        true
    }

    /// Sends `pair-success` for `phone`; the outcome comes with the client's signature.
    fn agree(&self, world: &World, phone: Phone, adv_secret: &[u8; 32]) -> oneshot::Receiver<Outcome> {
        let (sender, outcome) = oneshot::channel();
        let person = world.person(phone);
        let mut state = person.lock();
        let identity = state.keys.identity();
        let account = state.account.get_or_insert_default();
        let device = Address { phone, device: account.next_device() };
        account.key_index += 1;
        let vouched = pairing::vouch(&identity, &self.keys.identity, adv_secret, account.key_index, world::now());
        drop(state);
        let iq_id = world.stanza_id();
        let success = NodeBuilder::new("pair-success").children([
            NodeBuilder::new("device-identity").bytes(vouched).build(),
            NodeBuilder::new("device").attr("jid", device.pn()).attr("lid", device.lid()).build(),
            NodeBuilder::new("platform").attr("name", "android").build(),
        ]);
        let device = Arc::new(Device::new(device, self.noise_key, self.keys.clone()));
        let mut progress = self.progress.lock();
        progress.agreement = Some(Agreement { iq_id: iq_id.clone(), device });
        progress.outcome = Some(sender);
        drop(progress);
        self.link.send(&set_iq(iq_id, success.build()));
        outcome
    }

    fn take_signature(&self, world: &World, iq: &Node) {
        let mut progress = self.progress.lock();
        let id = iq.text("id");
        let Some(agreement) = progress.agreement.take_if(|agreement| id.as_ref() == Some(&agreement.iq_id)) else {
            return;
        };
        let outcome = progress.outcome.take();
        drop(progress);
        let result = self.link_device(world, iq, agreement.device);
        if let Some(outcome) = outcome {
            let _ = outcome.send(result);
        }
    }

    fn link_device(&self, world: &World, iq: &Node, device: Arc<Device>) -> Outcome {
        if let Some(error) = iq.child(&["error"]) {
            let text = error.text("text").unwrap_or_default();
            return Err(format!("the device refused the pairing: {} {text}", error.text("code").unwrap_or_default()));
        }
        let signed = iq.child(&["pair-device-sign", "device-identity"]).ok_or("the device did not sign")?;
        let address = device.address;
        let person = world.person(address.phone);
        let mut state = person.lock();
        let identity = state.keys.identity().public;
        pairing::check_companion(signed.bytes(), &identity, &self.keys.identity).map_err(|error| error.to_string())?;
        // whatever this number was before, the sessions were another device's
        state.forget_device(address);
        state.account.get_or_insert_default().devices.insert(address.device, device);
        drop(state);
        world.journal.touch(address.phone);
        world.journal.save(world).map_err(|error| format!("cannot save the new device: {error}"))?;
        world.stats.pairings.add();
        notification::devices_changed(world, address);
        self.link.send(&NodeBuilder::new("stream:error").attr("code", "515").build());
        Ok(address)
    }

    fn take_code_step(&self, world: &World, iq: &Node, step: &Node) {
        let done = match step.text("stage").as_deref() {
            Some("companion_hello") => self.take_code_request(world, iq, step),
            Some("companion_finish") => self.finish_code(world, iq, step),
            other => Err(format!("stage {other:?}")),
        };
        if let Err(reason) = done {
            world.stats.protocol_errors.add();
            self.link.send(&reply::error(iq, 400, &reason));
            if let Some(outcome) = self.progress.lock().outcome.take() {
                let _ = outcome.send(Err(reason));
            }
        }
    }

    fn take_code_request(&self, world: &World, iq: &Node, step: &Node) -> Result<(), String> {
        let jid = step.need_jid("jid").map_err(|error| error.to_string())?;
        let phone = Address::of(&jid).ok_or("no phone number")?.phone;
        let wrapped = step.child(&["link_code_pairing_wrapped_companion_ephemeral_pub"]).ok_or("no wrapped key")?;
        let reference = format!("2@{}", URL_SAFE_NO_PAD.encode(random::bytes::<30>()));
        let node = NodeBuilder::new("link_code_pairing_ref").bytes(reference.as_bytes()).build();
        let answer = NodeBuilder::new("link_code_companion_reg").attr("stage", "companion_hello").children([node]);
        let wrapped_ephemeral = wrapped.bytes().to_vec();
        self.progress.lock().code = Some(CodeRequest { wrapped_ephemeral, reference, phone, exchange: None });
        world.codes.lock().insert(phone, Weak::clone(&self.me));
        self.link.send(&reply::result(iq, [answer.build()]));
        Ok(())
    }

    fn finish_code(&self, world: &World, iq: &Node, step: &Node) -> Result<(), String> {
        let request = self.progress.lock().code.take().ok_or("no code was asked for")?;
        let (ephemeral, companion) = request.exchange.ok_or("the code was not typed yet")?;
        let bundle = step.child(&["link_code_pairing_wrapped_key_bundle"]).ok_or("no key bundle")?;
        let phone = world.person(request.phone).lock().keys.identity();
        let secret = pairing::open_bundle(bundle.bytes(), &ephemeral, &phone, &companion, &self.keys.identity);
        let secret = secret.map_err(|error| error.to_string())?;
        self.link.send(&reply::result(iq, []));
        let waiting = self.progress.lock().outcome.take();
        let outcome = self.agree(world, request.phone, &secret);
        if let Some(waiting) = waiting {
            tokio::spawn(async move {
                let _ = waiting.send(outcome.await.unwrap_or_else(|_| Err("the connection ended".to_owned())));
            });
        }
        Ok(())
    }
}

/// The phone scans a QR code.
///
/// # Errors
/// The text is no QR code, or no connection shows it (any more).
pub fn scan(world: &World, phone: Phone, qr: &str) -> Result<oneshot::Receiver<Outcome>, String> {
    let code = QrCode::parse(qr).map_err(|error| error.to_string())?;
    let known = world.references.lock().get(&code.reference).and_then(|found| found.upgrade());
    let registration = known.ok_or("no device shows this code (any more): take its newest one")?;
    if code.noise_public != registration.noise_key || code.identity_public != registration.keys.identity {
        return Err("the keys in this code are not those of the device that shows it".to_owned());
    }
    Ok(registration.agree(world, phone, &code.adv_secret))
}

/// The code a device shows is typed on the phone. Two PBKDF2 of 20 ms each run aside.
///
/// # Errors
/// No device asked this phone, or what it sent is malformed. A wrong code shows in the outcome.
pub async fn enter_code(world: &World, phone: Phone, code: &str) -> Result<oneshot::Receiver<Outcome>, String> {
    let registration = world.codes.lock().get(&phone).and_then(|found| found.upgrade());
    let registration = registration.ok_or_else(|| format!("no device asks {phone} for a code"))?;
    let wrapped = registration.progress.lock().code.as_ref().map(|request| request.wrapped_ephemeral.clone());
    let wrapped = wrapped.ok_or_else(|| format!("no device asks {phone} for a code"))?;
    let (code, ephemeral) = (pairing::normalise_code(code), KeyPair::generate());
    let public = ephemeral.public;
    let work = move || Ok((pairing::unwrap_ephemeral(&code, &wrapped)?, pairing::wrap_ephemeral(&code, &public)));
    let done: wafast_protocol::Result<_> =
        tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?;
    let (companion, wrapped) = done.map_err(|error| error.to_string())?;
    let identity = world.person(phone).lock().keys.identity().public;
    let (sender, outcome) = oneshot::channel();
    let mut progress = registration.progress.lock();
    progress.outcome = Some(sender);
    let request = progress.code.as_mut().ok_or("the device asked anew meanwhile")?;
    request.exchange = Some((ephemeral, companion));
    let child = |tag, bytes: &[u8]| NodeBuilder::new(tag).bytes(bytes).build();
    let hello = NodeBuilder::new("link_code_companion_reg").attr("stage", "primary_hello").children([
        child("link_code_pairing_wrapped_primary_ephemeral_pub", &wrapped),
        child("primary_identity_pub", &identity),
        child("link_code_pairing_ref", request.reference.as_bytes()),
    ]);
    drop(progress);
    let notification = notification::from_server(world, "link_code_companion_reg").children([hello.build()]);
    registration.link.send(&notification.build());
    Ok(outcome)
}

fn set_iq(id: String, child: Node) -> Node {
    NodeBuilder::new("iq")
        .attr("from", node::server_jid())
        .attr("type", "set")
        .attr("id", id)
        .attr("xmlns", "md")
        .attr("t", world::now())
        .children([child])
        .build()
}

fn keys(data: &DevicePairingRegistrationData) -> Result<Keys, String> {
    let key = |bytes: &[u8], what: &str| -> Result<[u8; 32], String> {
        bytes.try_into().map_err(|_| format!("{what} has {} bytes instead of 32", bytes.len()))
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
    let (identity, signed) = (key(data.e_ident(), "identity")?, key(data.e_skey_val(), "signed prekey")?);
    if !curve::verify(&identity, &[&[5], signed.as_slice()].concat(), data.e_skey_sig()) {
        return Err("the signed prekey is not signed by the identity".to_owned());
    }
    Ok(Keys {
        registration_id: number(data.e_regid()),
        identity,
        signed_pre_key_id: number(data.e_skey_id()),
        signed_pre_key: signed,
        signature: data.e_skey_sig().to_vec(),
    })
}
