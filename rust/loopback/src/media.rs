//! The media host: uploads, downloads and deletions over HTTPS (whatsmeow `upload.go`, `download.go`).

use std::io;

use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::block_in_place,
};

use crate::{
    http::{self, Request},
    tls::MEDIA_HOST,
    world::World,
};

/// Answers one request.
///
/// # Errors
/// The connection broke, or the disk is full.
pub async fn answer<S>(world: &World, stream: &mut S, request: &Request, body: Vec<u8>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match request.method.as_str() {
        "POST" | "PUT" if request.path().starts_with("/mms/") => {
            world.stats.uploads.add();
            let path = block_in_place(|| world.media.put(&body))?;
            let answer = json!({"url": format!("https://{MEDIA_HOST}{path}"), "direct_path": path}).to_string();
            http::respond(stream, "200 OK", "application/json", answer.as_bytes()).await
        }
        "GET" => {
            world.stats.downloads.add();
            match block_in_place(|| world.media.get(request.path())) {
                Some(blob) => http::respond(stream, "200 OK", "application/octet-stream", &blob).await,
                None => http::respond(stream, "404 Not Found", "text/plain", b"no such file").await,
            }
        }
        // a companion deletes the blob of a history sync it has read; others of the line may still need it
        "DELETE" => http::respond(stream, "200 OK", "text/plain", b"").await,
        other => {
            world.stats.unknown(other);
            http::respond(stream, "405 Method Not Allowed", "text/plain", b"").await
        }
    }
}
