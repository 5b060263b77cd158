//! Orders, each to what does it.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::{sync::oneshot, time::timeout};

use super::{
    chats,
    order::{Number, Order},
    view,
};
use crate::{
    address::Phone,
    behaviour::Behaviour,
    copies, history, live,
    mutation::ChatSettings,
    outage, phone, presence, receipt,
    registration::{self, Outcome},
    retry,
    world::World,
};

/// A device answers `pair-success` at once; typing a code takes two round trips and 40 ms of CPU.
const PAIRING_PATIENCE: Duration = Duration::from_secs(20);

/// Does what was ordered.
///
/// # Errors
/// It can't be done; the text says why.
pub async fn carry_out(world: &Arc<World>, order: Order) -> Result<Value, String> {
    match order {
        Order::Scan { phone: Number(phone), qr, name } => {
            name_line(world, phone, name)?;
            linked(registration::scan(world, phone, &qr)?).await
        }
        Order::EnterCode { phone: Number(phone), code, name } => {
            name_line(world, phone, name)?;
            linked(registration::enter_code(world, phone, &code).await?).await
        }
        Order::State { phone } => Ok(view::lines(world, phone.map(|Number(phone)| phone))),
        Order::Inbox { phone, contact, after, wait_ms } => {
            let wanted = |seen: Phone, asked: Option<Number>| asked.is_none_or(|Number(asked)| asked == seen);
            let patience = Duration::from_millis(wait_ms.unwrap_or(0));
            let accept = |message: &crate::observed::InboxMessage| {
                wanted(message.phone, phone) && wanted(message.contact, contact)
            };
            as_json(&world.inbox.read(after.unwrap_or(0), patience, accept).await)
        }
        Order::Receipts { phone: Number(phone), after, wait_ms } => {
            let patience = Duration::from_millis(wait_ms.unwrap_or(0));
            as_json(&world.receipts.read(after.unwrap_or(0), patience, |receipt| receipt.phone == phone).await)
        }
        Order::Seen { phone: Number(phone), after, wait_ms } => {
            let patience = Duration::from_millis(wait_ms.unwrap_or(0));
            as_json(&world.seen.read(after.unwrap_or(0), patience, |seen| seen.phone == phone).await)
        }
        Order::Text { phone, contact, text, group, quoted, count, interval_ms } => {
            let text = chats::Text { text, quoted, count: count.unwrap_or(1), interval_ms: interval_ms.unwrap_or(0) };
            chats::text(world, phone.0, contact.0, group, text).await
        }
        Order::Image { phone, contact, caption, data, group } => {
            chats::image(world, phone.0, contact.0, group, caption, data)
        }
        Order::History { phone, contact, chats, count, chunk, text, days, inline, name } => {
            let (contact, days, inline) = (contact.0, days.unwrap_or(7.0), inline.unwrap_or(false));
            let (chats, chunk) = (chats.unwrap_or(1), chunk.unwrap_or(history::CHUNK));
            let past = history::Past { contact, chats, count, text, days, name, chunk, inline };
            chats::history(world, phone.0, &past)
        }
        other => carry_out_at_once(world, other),
    }
}

fn carry_out_at_once(world: &Arc<World>, order: Order) -> Result<Value, String> {
    Ok(match order {
        Order::Raw { phone, contact, message, group, id, edit, own } => {
            let raw = chats::Raw { message, id, edit, own: own.unwrap_or(false) };
            chats::raw(world, phone.0, contact.0, group, raw)?
        }
        Order::Own { phone, contact, text } => chats::own(world, phone.0, contact.0, &text)?,
        Order::Corrupt { phone, contact, text, group, comes_again } => {
            chats::corrupt(world, phone.0, contact.0, group, &text, comes_again.unwrap_or(true))?
        }
        Order::Group { phone, id, subject, members } => {
            let members = members.into_iter().map(|Number(phone)| phone).collect();
            chats::group(world, phone.0, id, subject, members)
        }
        Order::Receipt { phone, contact, ids, r#type, group } => {
            let kind = receipt_kind(&r#type)?;
            let group = chats::known_group(world, group)?;
            receipt::from_contact(world, phone.0, contact.0, &ids, kind, group.as_deref());
            json!(true)
        }
        Order::OwnRead { phone, contact, ids, group } => {
            let group = chats::known_group(world, group)?;
            receipt::from_owner(world, phone.0, contact.0, &ids, group.as_deref());
            json!(true)
        }
        Order::Auto { phone, contact, deliver_ms, read_ms, reply } => {
            let delay = |ms: Option<i64>, otherwise| ms.map_or(otherwise, |ms| u64::try_from(ms).ok());
            let behaviour = Behaviour { deliver_ms: delay(deliver_ms, Some(0)), read_ms: delay(read_ms, None), reply };
            world.behaviours.set(phone.map(|phone| phone.0), contact.map(|contact| contact.0), behaviour);
            json!(true)
        }
        Order::Typing { phone, contact, state, group } => {
            let group = chats::known_group(world, group)?;
            json!(presence::type_to(world, phone.0, contact.0, state, group.as_deref()))
        }
        Order::Presence { phone, contact, available } => json!(presence::show(world, phone.0, contact.0, available)),
        Order::PushName { phone, name } => {
            phone::set_push_name(world, phone.0, &name).map_err(|error| error.to_string())?;
            json!(true)
        }
        Order::Settings { phone, contact, group, mute_until, pinned, archived, name } => {
            let settings = ChatSettings { muted_until: mute_until, pinned, archived, name };
            chats::settings(world, phone.0, contact.map(|contact| contact.0), group, settings)?;
            json!(true)
        }
        Order::Retry { phone, contact, id, group } => {
            let group = chats::known_group(world, group)?;
            for device in &chats::linked_devices(world, phone.0)? {
                retry::ask(world, device, contact.0, &id, group.as_deref(), 1);
            }
            json!(true)
        }
        Order::NotOnWhatsapp { contact, on } => {
            world.person(contact.0).lock().on_whatsapp = !on.unwrap_or(true);
            world.journal.touch(contact.0);
            json!(true)
        }
        Order::Copy { phone, phones } => {
            let phones: Vec<Phone> = phones.into_iter().map(|phone| phone.0).collect();
            as_json(&copies::copy(world, phone.0, &phones)?)?
        }
        Order::AppState { phone } => {
            let person = world.person(phone.0);
            let state = person.lock();
            as_json(&state.account.as_ref().map(|account| account.app_state.settings()).unwrap_or_default())?
        }
        Order::Live { phone, on, contacts, per_minute } => {
            live::switch(world, phone.0, on, contacts.unwrap_or(4), per_minute.unwrap_or(4.0))?
        }
        Order::Stats => view::stats(world),
        Order::Quit => {
            world.quit.notify_one();
            json!(true)
        }
        other => go_wrong(world, other)?,
    })
}

fn go_wrong(world: &World, order: Order) -> Result<Value, String> {
    Ok(match order {
        Order::Drop { phone: Some(phone) } => json!(outage::drop_line(world, phone.0)),
        Order::Drop { phone: None } => {
            world.cut_all();
            json!(true)
        }
        Order::Down { on } => {
            outage::set_down(world, on);
            json!(true)
        }
        Order::Logout { phone } => json!(outage::logout(world, phone.0)),
        Order::Ban { phone, code, seconds } => {
            json!(outage::refuse_logins(world, phone.0, 402, Some((code, Duration::from_secs(seconds)))))
        }
        Order::Replaced { phone } => json!(outage::replace(world, phone.0)),
        Order::Outdated { phone } => json!(outage::refuse_logins(world, phone.0, 405, None)),
        Order::StreamError { phone, code } => json!(outage::stream_error(world, phone.0, code)),
        Order::Failure { phone, reason } => json!(outage::refuse_logins(world, phone.0, reason, None)),
        Order::RefuseSend { phone, code, count } => {
            outage::refuse_sends(world, phone.0, code, count);
            json!(true)
        }
        Order::Latency { ms } => {
            world.latency.store(ms, Relaxed);
            json!(true)
        }
        Order::Downloads { how } => {
            world.downloads.send_replace(how);
            json!(true)
        }
        Order::HoldAcks { phone, on } => json!(outage::hold_acks(world, phone.0, on)),
        Order::Clear { phone } => {
            outage::clear(world, phone.0);
            json!(true)
        }
        other => return Err(format!("{other:?} is not done here")),
    })
}

fn name_line(world: &World, phone: Phone, name: Option<String>) -> Result<(), String> {
    name.map_or(Ok(()), |name| phone::set_push_name(world, phone, &name)).map_err(|error| error.to_string())
}

async fn linked(outcome: oneshot::Receiver<Outcome>) -> Result<Value, String> {
    let outcome = timeout(PAIRING_PATIENCE, outcome).await.map_err(|_| "the device did not answer in 20 s")?;
    let address = outcome.map_err(|_| "the device hung up before it was linked")??;
    Ok(json!({"phone": address.phone.to_string(), "device": address.device}))
}

fn receipt_kind(name: &str) -> Result<Option<&str>, String> {
    match name {
        "delivered" => Ok(None),
        "read" | "played" => Ok(Some(name)),
        other => Err(format!("receipt type {other:?} is none of delivered, read, played")),
    }
}

fn as_json<T: Serialize>(value: &T) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|error| error.to_string())
}
