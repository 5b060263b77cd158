//! What a client meets first: the CONNECT proxy, and behind it TLS for WhatsApp's hosts, all on one socket.

use std::{
    io,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::{connection, http, media, websocket, world::World};

/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(20);
/// When no socket can be had (out of descriptors), accepting waits this long.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes connections for ever.
pub async fn accept(world: Arc<World>, listener: TcpListener, tls: TlsAcceptor) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if world.down.load(Relaxed) {
            continue;
        }
        let (world, tls) = (Arc::clone(&world), tls.clone());
        tokio::spawn(async move {
            world.stats.connections.fetch_add(1, Relaxed);
            let ended = serve(&world, stream, tls).await;
            world.stats.connections.fetch_sub(1, Relaxed);
            if matches!(ended, Err(error) if error.kind() == io::ErrorKind::InvalidData) {
                world.stats.protocol_errors.add();
            }
        });
    }
}

async fn serve(world: &Arc<World>, mut stream: TcpStream, tls: TlsAcceptor) -> io::Result<()> {
    stream.set_nodelay(true)?;
    world.round_trip().await; // TCP's
    if !timeout(PATIENCE, Box::pin(open_tunnel(&mut stream))).await?? {
        return Ok(());
    }
    world.round_trip().await; // TLS's
    let mut stream = timeout(PATIENCE, Box::pin(tls.accept(stream))).await??;
    match Box::pin(requests(world, &mut stream)).await? {
        Some(early) => connection::run(world, stream, early).await,
        None => Ok(()),
    }
}

/// Answers the CONNECT. The socket goes on as the tunnel's far end: nothing is dialled, whatever the host.
async fn open_tunnel(stream: &mut TcpStream) -> io::Result<bool> {
    let mut pending = Vec::new();
    let Some(request) = http::read_head(stream, &mut pending).await? else {
        return Ok(false);
    };
    let host = request.target.split(':').next().unwrap_or_default();
    if request.method != "CONNECT" || !is_ours(host) {
        let text = format!("this proxy is WhatsApp's servers themselves: it only takes CONNECT to them, not {host}\n");
        http::respond(stream, "403 Forbidden", "text/plain", text.as_bytes()).await?;
        return Ok(false);
    }
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    Ok(true)
}

fn is_ours(host: &str) -> bool {
    [".whatsapp.net", ".whatsapp.com"].iter().any(|domain| host.ends_with(domain))
}

/// Serves files until the client asks for a WebSocket; gives what it sent behind that, or `None` when it has gone.
async fn requests<S: AsyncRead + AsyncWrite + Unpin>(world: &World, stream: &mut S) -> io::Result<Option<Vec<u8>>> {
    let mut pending = Vec::new();
    while let Some(request) = http::read_head(stream, &mut pending).await? {
        world.round_trip().await;
        if let Some(key) = request.header("sec-websocket-key") {
            let accept = websocket::accept_key(key);
            let head = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
            stream.flush().await?;
            return Ok(Some(pending));
        }
        let body = http::read_body(stream, &mut pending, &request).await?;
        media::answer(world, stream, &request, body).await?;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whatsapps_hosts_are_ours() {
        assert!(is_ours("web.whatsapp.com") && is_ours("mmg.whatsapp.net"));
        assert!(!is_ours("example.com") && !is_ours("whatsapp.com.example.org") && !is_ours("evilwhatsapp.net"));
    }
}
