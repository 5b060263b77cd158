//! The simulator: a WhatsApp server on 127.0.0.1 with the phones and people behind it.
//!
//! An unmodified whatsmeow client that is told to use the proxy, certificate authority and Noise root of the profile file
//! pairs with it, logs in, sends and receives. Tests, the demo and benches drive the simulated phones and contacts over
//! the control port. Facts of the protocol are from the public client whatsmeow; each file names its sources.
//!
//! A client's way in: [`front`] (CONNECT, TLS, HTTP) → [`connection`] (WebSocket, Noise) → [`registration`] or [`login`]
//! → [`stanza`] → [`message_in`], [`receipt`], [`iq`] and others. A contact's way out: [`control`] or [`live`] →
//! [`message_out`] → the [`queue`] of each [`device`] → [`connection`].

#![cfg_attr(clippy, deny(warnings))]

mod account;
mod address;
mod app_state;
mod arguments;
mod behaviour;
mod connection;
mod contact;
mod content;
mod control;
mod copies;
mod device;
mod front;
mod group;
mod history;
mod http;
mod iq;
mod journal;
mod ledger;
mod link;
mod listener;
mod live;
mod login;
mod media;
mod media_store;
mod message_in;
mod message_out;
mod mutation;
mod names;
mod notification;
mod observed;
mod outage;
mod person;
mod phone;
mod picture;
mod presence;
mod profile;
mod queue;
mod receipt;
mod registration;
mod reply;
mod retry;
mod secrets;
mod server;
mod stanza;
mod stats;
mod tls;
#[cfg(test)]
mod trial;
mod websocket;
mod world;

use std::thread;

/// Runs the simulator with these command-line arguments until it is told to end; gives the exit code.
#[must_use]
pub fn run(arguments: &[String]) -> i32 {
    let arguments = match arguments::Arguments::parse(arguments) {
        Ok(arguments) => arguments,
        Err(mistake) => {
            eprintln!("wafast loopback: {mistake}\n{}", arguments::USAGE);
            return 2;
        }
    };
    let threads = thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 4));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    match runtime.and_then(|runtime| runtime.block_on(server::run(&arguments))) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("wafast loopback: {error}");
            1
        }
    }
}
