//! Who somebody is and which devices they have (whatsmeow `user.go`). The `jid` of a user comes back as it was asked:
//! whatsmeow builds the device JIDs from it.

use wafast_protocol::{
    Result,
    node::{Node, NodeBuilder, NodeExt},
};

use crate::{
    address::{self, Address, Phone},
    reply,
    world::{self, World},
};

pub fn answer(world: &World, iq: &Node) -> Result<Node> {
    let usync = iq.need_child("usync")?;
    let query = usync.need_child("query")?;
    let asked: Vec<String> = query.nodes().iter().map(|node| node.tag.to_string()).collect();
    let users = usync.need_child("list")?.nodes().iter().filter_map(|user| {
        let wants = |what: &str| asked.iter().any(|tag| tag == what);
        if wants("contact") { Some(answer_contact(world, user)) } else { answer_user(world, user, wants) }
    });
    let list = NodeBuilder::new("list").children(users).build();
    let results = query.nodes().iter().map(|node| NodeBuilder::new_dynamic(node.tag.to_string()).build());
    let result = NodeBuilder::new("result").children(results).build();
    let mut answer = NodeBuilder::new("usync").attr("index", "0").attr("last", "true");
    for key in ["sid", "mode", "context"] {
        answer = answer.attr(key, usync.text(key).unwrap_or_default());
    }
    Ok(reply::result(iq, [answer.children([result, list]).build()]))
}

/// Is this number on WhatsApp? The question's text comes back too.
fn answer_contact(world: &World, user: &Node) -> Node {
    let question = user.child(&["contact"]).map(|contact| contact.bytes().to_vec()).unwrap_or_default();
    let text = String::from_utf8_lossy(&question);
    let phone = address::parse_phone(text.split('@').next().unwrap_or_default()).ok();
    let phone = phone.map(|phone| named(world, phone));
    let found = phone.filter(|phone| is_on_whatsapp(world, *phone));
    let contact = NodeBuilder::new("contact").attr("type", if found.is_some() { "in" } else { "out" });
    let contact = contact.bytes(question).build();
    let answer = match (found, phone) {
        (Some(phone), _) => {
            NodeBuilder::new("user").attr("jid", address::lid(phone)).attr("pn_jid", address::pn(phone))
        }
        (None, Some(phone)) => NodeBuilder::new("user").attr("pn_jid", address::pn(phone)),
        (None, None) => NodeBuilder::new("user"),
    };
    answer.children([contact]).build()
}

fn answer_user(world: &World, user: &Node, wants: impl Fn(&str) -> bool) -> Option<Node> {
    let jid = user.jid("jid")?;
    let phone = Address::of(&jid)?.phone;
    if !is_on_whatsapp(world, phone) {
        return None;
    }
    let mut children = Vec::new();
    if wants("devices") {
        children.push(NodeBuilder::new("devices").children([device_list(world, phone)]).build());
    }
    if wants("lid") {
        children.push(NodeBuilder::new("lid").attr("val", address::lid(phone)).build());
    }
    if wants("status") {
        let text = b"Hey there! I am using WhatsApp.".to_vec();
        children.push(NodeBuilder::new("status").attr("t", world::now()).bytes(text).build());
    }
    Some(NodeBuilder::new("user").attr("jid", jid).children(children).build())
}

fn device_list(world: &World, phone: Phone) -> Node {
    let companions = world.devices(phone).into_iter().map(|device| device.address.device);
    let device = |number: u16| {
        let node = NodeBuilder::new("device").attr("id", number);
        if number == 0 { node.build() } else { node.attr("key-index", number).build() }
    };
    NodeBuilder::new("device-list").children(std::iter::once(0).chain(companions).map(device)).build()
}

/// The number by which WhatsApp names an account: in Brazil without the 9 that people dial, in Mexico with a 1 that they
/// don't. So it is here where somebody is known by the one and not by the other.
fn named(world: &World, dialled: Phone) -> Phone {
    let digits = dialled.to_string();
    let other = match digits.len() {
        13 if digits.starts_with("55") && digits.as_bytes()[4] == b'9' => format!("{}{}", &digits[..4], &digits[5..]),
        12 if digits.starts_with("52") => format!("521{}", &digits[2..]),
        _ => return dialled,
    };
    let is_known = |phone: &Phone| world.known_person(*phone).is_some();
    other.parse().ok().filter(|other| is_known(other) && !is_known(&dialled)).unwrap_or(dialled)
}

fn is_on_whatsapp(world: &World, phone: Phone) -> bool {
    world.known_person(phone).is_none_or(|person| person.lock().on_whatsapp)
}
