//! What a simulated phone does with a message it got: notes it, tells the sender, and may answer.

use std::{sync::Arc, time::Duration};

use wafast_schema::e2e::{Message, protocol_message::Type};

use crate::{
    address::Phone,
    content::{self, Content},
    device::Device,
    live,
    message_in::Incoming,
    message_out::{self, Chat, Letter},
    observed::InboxMessage,
    phone, receipt,
    world::{self, World},
};

/// `phone` got a message of `device`. `retry` is which time it was encrypted.
pub fn got(world: &Arc<World>, device: &Arc<Device>, phone: Phone, incoming: &Incoming, message: Message, retry: u32) {
    if phone == device.address.phone {
        own_phone_got(world, device, &message);
        return;
    }
    let Some(content) = content::describe(message) else {
        return;
    };
    let group = incoming.group.as_ref().map(|group| group.id.clone());
    let visit = Visit { world: Arc::clone(world), line: device.address.phone, contact: phone, group };
    visit.react(&incoming.id, &content);
    if content.is_change() {
        return visit.note(device.address.device, incoming.id.clone(), content, retry);
    }
    live::heard(world, visit.line, phone, incoming.group.as_ref(), &content);
    visit.note(device.address.device, incoming.id.clone(), content, retry);
}

/// A companion talks to its own phone: only a lost app-state key wants an answer.
fn own_phone_got(world: &World, device: &Arc<Device>, message: &Message) {
    let request = message.protocol_message.as_ref().and_then(|protocol| protocol.r#type);
    if request == Some(Type::AppStateSyncKeyRequest as i32) {
        phone::share_app_state_key(world, device);
    }
}

/// One contact and one line, at one message.
#[derive(Clone)]
struct Visit {
    world: Arc<World>,
    line: Phone,
    contact: Phone,
    group: Option<String>,
}

impl Visit {
    fn note(self, device: u16, id: String, content: Content, retry: u32) {
        let world = Arc::clone(&self.world);
        let note = move |media: Option<(bool, Option<String>)>| {
            let (media_sha_ok, media_sha256) = media.map_or((None, None), |(ok, hash)| (Some(ok), hash));
            self.world.inbox.add(|seq| InboxMessage {
                seq,
                phone: self.line,
                device,
                contact: self.contact,
                group: self.group,
                id,
                kind: content.kind.to_owned(),
                text: content.text,
                quoted: content.refers_to,
                media_sha_ok,
                media_sha256,
                retry,
                at: world::now_millis(),
            });
        };
        match content.file {
            None => note(None),
            Some(file) => drop(tokio::task::spawn_blocking(move || note(Some(file.check(&world))))),
        }
    }

    fn react(&self, id: &str, content: &Content) {
        let behaviour = self.world.behaviours.of(self.line, self.contact);
        self.later(behaviour.deliver_ms, id, None);
        self.later(behaviour.read_ms, id, Some("read"));
        if let Some(answer) = behaviour.reply.filter(|_| !content.is_change()) {
            self.answer(&answer.replace("{text}", &content.text));
        }
    }

    fn later(&self, delay: Option<u64>, id: &str, kind: Option<&'static str>) {
        let Some(delay) = delay else {
            return;
        };
        let (visit, ids) = (self.clone(), vec![id.to_owned()]);
        let send = move || {
            let group = visit.group.as_ref().and_then(|id| visit.world.group(id));
            receipt::from_contact(&visit.world, visit.line, visit.contact, &ids, kind, group.as_deref());
        };
        if delay == 0 {
            send();
        } else {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(delay)).await;
                send();
            });
        }
    }

    fn answer(&self, text: &str) {
        let group = self.group.as_ref().and_then(|id| self.world.group(id));
        let chat = group.map_or(Chat::Direct(self.line), Chat::Group);
        let letter = Letter::text(self.contact, chat, self.world.message_id(), text);
        if message_out::post(&self.world, &letter).is_err() {
            self.world.stats.protocol_errors.add();
        }
    }
}
