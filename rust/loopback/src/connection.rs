//! One client's WebSocket from the Noise handshake to its end: a task that reads stanzas, hands them on, and writes what
//! others put into its [`Link`] and its device's queue. Between stanzas it holds no buffer.

use std::{future::poll_fn, io, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::timeout,
};
use wafast_protocol::{
    frame::{self, Splitter},
    node,
    noise::{Responder, Transport},
};
use wafast_schema::{Message, wa6::ClientPayload};

use crate::{
    address::Address,
    link::{Ending, Link},
    login,
    registration::Registration,
    stanza::{Role, Session},
    websocket::{self, Event, Reader},
    world::World,
};

/// How much is read at once, into the stack.
const READ_BYTES: usize = 8 * 1024;
/// How much is collected before it is written.
const WRITE_BYTES: usize = 64 * 1024;
/// A client that takes nothing for so long is gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(60);
/// whatsmeow gives a handshake 20 s (`handshake.go`).
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(20);
/// whatsmeow handles stanzas aside from its reader: a close right behind one would be noticed first, and it would connect
/// again instead of taking the reason.
const LAST_WORD: Duration = Duration::from_millis(300);
/// How long a client may take to close its side.
const FAREWELL: Duration = Duration::from_secs(2);

/// The byte stream and what is between stanzas.
struct Wire<S> {
    stream: S,
    websocket: Reader,
    splitter: Splitter,
    /// Answers to pings, to go out with the next write.
    control: Vec<u8>,
}

/// Runs a connection to its end. `early` is what came behind the HTTP head.
pub async fn run<S: AsyncRead + AsyncWrite + Unpin>(world: &Arc<World>, stream: S, early: Vec<u8>) -> io::Result<()> {
    let mut wire = Wire { stream, websocket: Reader::default(), splitter: Splitter::default(), control: Vec::new() };
    wire.websocket.push(&early);
    // boxed: the handshake's state is larger than all that a session needs later
    let handshake = Box::pin(shake_hands(world, &mut wire));
    let (transport, noise_key, payload) = timeout(HANDSHAKE_PATIENCE, handshake).await??;
    world.stats.handshakes.add();
    let link = Arc::new(Link::default());
    world.add_link(&link);
    let role = enter(world, &link, noise_key, &payload);
    let mut session = Session { world: Arc::clone(world), link, role };
    let result = talk(&mut session, &mut wire, transport).await;
    session.end();
    result
}

async fn shake_hands<S: AsyncRead + AsyncWrite + Unpin>(
    world: &World,
    wire: &mut Wire<S>,
) -> io::Result<(Transport, [u8; 32], ClientPayload)> {
    while wire.splitter.intro().map_err(invalid)?.is_none() {
        wire.read_more().await?;
    }
    let hello = wire.next_frame().await?;
    world.round_trip().await;
    let (responder, answer) = Responder::answer(&world.secrets.noise, &world.secrets.chain, &hello).map_err(invalid)?;
    let mut out = Vec::new();
    websocket::write_binary(&mut out, &frame::encode(&answer).map_err(invalid)?);
    wire.write(&out).await?;
    let finish = wire.next_frame().await?;
    world.round_trip().await; // the login's, which comes with it
    let (transport, noise_key, payload) = responder.finish(&finish).map_err(invalid)?;
    let payload = ClientPayload::decode(payload.as_slice()).map_err(invalid)?;
    Ok((transport, noise_key, payload))
}

fn enter(world: &World, link: &Arc<Link>, noise_key: [u8; 32], payload: &ClientPayload) -> Role {
    if let Some(data) = &payload.device_pairing_data {
        return match Registration::begin(world, link, noise_key, data) {
            Ok(registration) => Role::Registering(registration),
            Err(_) => {
                world.stats.protocol_errors.add();
                link.end(Ending::Close);
                Role::Refused
            }
        };
    }
    let address = Address { phone: payload.username(), device: payload.device() as u16 };
    login::login(world, link, &noise_key, address).map_or(Role::Refused, Role::Companion)
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session,
    wire: &mut Wire<S>,
    mut transport: Transport,
) -> io::Result<()> {
    let mut offline = Offline::default();
    loop {
        match flush(session, wire, &mut transport, &mut offline).await? {
            Some(Ending::Cut) => return Ok(()),
            Some(Ending::Close) => return farewell(wire).await,
            None => {}
        }
        let frame = tokio::select! {
            frame = wire.next_frame() => frame?,
            () = session.link.woken() => continue,
        };
        session.world.round_trip().await;
        take_frame(session, &mut transport, &frame)?;
        // what came in the same read is handled before anything is written
        while let Some(frame) = wire.splitter.next_frame() {
            take_frame(session, &mut transport, &frame)?;
        }
    }
}

fn take_frame(session: &mut Session, transport: &mut Transport, frame: &[u8]) -> io::Result<()> {
    let plaintext = transport.receive.decrypt(frame).map_err(invalid)?;
    let node = node::decode(&plaintext).map_err(invalid)?;
    session.take(&node);
    Ok(())
}

/// Where a login's backlog stands.
#[derive(Default)]
struct Offline {
    redelivered: usize,
    announced: bool,
}

/// Writes everything there is; gives how the connection is to end, if it is.
async fn flush<S: AsyncRead + AsyncWrite + Unpin>(
    session: &Session,
    wire: &mut Wire<S>,
    transport: &mut Transport,
    offline: &mut Offline,
) -> io::Result<Option<Ending>> {
    loop {
        let (stanzas, ending) = session.link.take();
        let mut out = std::mem::take(&mut wire.control);
        for stanza in stanzas {
            seal(transport, &stanza, &mut out)?;
        }
        if ending.is_none() {
            fill_from_queue(session, transport, offline, &mut out)?;
        }
        if out.is_empty() || ending == Some(Ending::Cut) {
            return Ok(ending);
        }
        wire.write(&out).await?;
    }
}

fn fill_from_queue(
    session: &Session,
    transport: &mut Transport,
    offline: &mut Offline,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let Role::Companion(device) = &session.role else {
        return Ok(());
    };
    device.with(|state| {
        if !state.is_online() || !state.is_connected_by(&session.link) {
            return Ok(());
        }
        while out.len() < WRITE_BYTES {
            if !offline.announced && state.queue.backlog_is_written() {
                offline.announced = true;
                let done = node::encode(&login::offline_done(offline.redelivered)).map_err(invalid)?;
                seal(transport, &done, out)?;
            }
            let Some((entry, late)) = state.queue.next_to_write() else {
                return Ok(());
            };
            session.world.stats.messages_out.add();
            if late {
                session.world.stats.redelivered.add();
                seal(transport, &mark_offline(&entry.stanza, offline.redelivered)?, out)?;
                offline.redelivered += 1;
            } else {
                seal(transport, &entry.stanza, out)?;
            }
        }
        Ok(())
    })
}

/// The stanza with the `offline` attribute of redelivered ones.
fn mark_offline(stanza: &[u8], number: usize) -> io::Result<Vec<u8>> {
    let mut node = node::decode(stanza).map_err(invalid)?;
    node.attrs.insert("offline", number);
    node::encode(&node).map_err(invalid)
}

fn seal(transport: &mut Transport, stanza: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let frame = frame::encode(&transport.send.encrypt(stanza)).map_err(invalid)?;
    websocket::write_binary(out, &frame);
    Ok(())
}

/// Ends so that the client reads the last stanza: closing a socket with unread bytes would reset it.
async fn farewell<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>) -> io::Result<()> {
    if timeout(LAST_WORD, ignore(wire)).await.is_ok() {
        return Ok(());
    }
    let mut close = Vec::new();
    websocket::write_close(&mut close);
    wire.write(&close).await?;
    wire.stream.shutdown().await?;
    let _ = timeout(FAREWELL, ignore(wire)).await;
    Ok(())
}

/// Reads until the client has closed.
async fn ignore<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>) {
    while wire.next_frame().await.is_ok() {}
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// The next frame's payload. Safe to cancel: what was read stays.
    async fn next_frame(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(frame) = self.splitter.next_frame() {
                return Ok(frame);
            }
            self.read_more().await?;
        }
    }

    async fn read_more(&mut self) -> io::Result<()> {
        loop {
            match self.websocket.next_event().map_err(invalid)? {
                Some(Event::Data(bytes)) => {
                    self.splitter.push(&bytes);
                    return Ok(());
                }
                Some(Event::Ping(bytes)) => {
                    websocket::write_pong(&mut self.control, &bytes);
                    let pong = std::mem::take(&mut self.control);
                    self.write(&pong).await?;
                }
                Some(Event::Close) => return Err(io::ErrorKind::UnexpectedEof.into()),
                None => self.read().await?,
            }
        }
    }

    /// Reads through a buffer that lives on the stack only while bytes are there.
    async fn read(&mut self) -> io::Result<()> {
        let Self { stream, websocket, .. } = self;
        poll_fn(|context| {
            let mut bytes = [0; READ_BYTES];
            let mut buffer = ReadBuf::new(&mut bytes);
            Pin::new(&mut *stream).poll_read(context, &mut buffer).map(|result| {
                result?;
                if buffer.filled().is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                websocket.push(buffer.filled());
                Ok(())
            })
        })
        .await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(WRITE_PATIENCE, async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        })
        .await?
    }
}

fn invalid(error: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}
