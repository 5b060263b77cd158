//! The way of a message from neonize's callback to a committed row, without Python.
//!
//! ```text
//! event bytes ─► spool ─► buffer (per device) ─► batch ─► writer: decode, copy, merge, commit ─► announce
//! ```
//!
//! One concept a module; [`pipeline`] connects them. To follow one message:
//!
//! 1. [`pipeline::Pipeline::receive`] takes the event from the callback's thread, a history in [`pieces`].
//! 2. [`spool::Spool::append`] puts it on disk, and from then on no `kill -9` loses it.
//! 3. [`buffer::Buffer::admit`] lets it go on its way, or leaves it there until its device's turn comes.
//! 4. [`batch::gather`] collects what comes within milliseconds, in the thread of [`writer`].
//! 5. [`event::read`] makes [`record`]s of the bytes: [`decode::open`] opens the wrappers, [`members`] is the table of what
//!    becomes of each content, and what a content carries has a module of its own ([`media`], [`place`], [`poll`] …).
//!    Histories ([`history`]), groups ([`group`]) and calls ([`call`]) come by other events to the same records.
//! 6. `writer/transaction.rs` has the steps of the transaction in order; its rows go in by [`copy`].
//! 7. After the commit [`announce`] tells browsers, and [`pipeline::Shared::finish`] frees the event's places in the spool
//!    and in the buffer.
//!
//! Beside that way: what is said of a message that is there (an edit, a reaction, a receipt) is a [`record::Change`], which
//! `writer/changes.rs` makes or keeps until its message comes; `writer/lids.rs` makes one chat of two when the number of a LID
//! is told; what can't be read or stored is set aside ([`spool::Spool::set_aside`]): `wafast doctor` shows it, and
//! `wafast poison` replays it.
//! To change what a message becomes, change [`members`] and its row in `tests/integration/core/shapes.py`.

#![cfg_attr(clippy, deny(warnings))]

#[macro_use]
mod tell;

pub mod ai_answer;
pub mod announce;
pub mod batch;
pub mod buffer;
pub mod call;
pub mod card;
pub mod connection;
pub mod control;
pub mod copy;
pub mod decode;
pub mod event;
pub mod group;
pub mod header;
pub mod heard;
pub mod history;
pub mod jid;
pub mod link;
pub mod media;
pub mod members;
pub mod notice;
pub mod pieces;
pub mod pipeline;
pub mod place;
pub mod poll;
pub mod quote;
pub mod record;
pub mod shown;
pub mod spool;
pub mod stats;
pub mod text;
pub mod timestamp;
pub mod wire;
pub mod words;
pub mod writer;
