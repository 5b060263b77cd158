//! The media host: uploads, downloads and deletions over HTTPS (whatsmeow `upload.go`, `download.go`).

use std::io;

use serde::Deserialize;
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

/// How downloads go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Downloads {
    #[default]
    Served,
    /// The files are gone, as WhatsApp's are after some weeks.
    Expired,
    /// The connection breaks in the middle of a file.
    Cut,
    /// Other bytes come.
    Wrong,
    /// Nothing comes until they go otherwise.
    Held,
}

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
            download(world, stream, request.path()).await
        }
        // a companion deletes the blob of a history sync it has read; others of the line may still need it
        "DELETE" => http::respond(stream, "200 OK", "text/plain", b"").await,
        other => {
            world.stats.unknown(other);
            http::respond(stream, "405 Method Not Allowed", "text/plain", b"").await
        }
    }
}

async fn download<S>(world: &World, stream: &mut S, path: &str) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut told = world.downloads.subscribe();
    let how = told.wait_for(|how| *how != Downloads::Held).await.map_or(Downloads::Served, |how| *how);
    let blob = block_in_place(|| world.media.get(path)).filter(|_| how != Downloads::Expired);
    match (blob, how) {
        (None, _) => http::respond(stream, "404 Not Found", "text/plain", b"no such file").await,
        (Some(blob), Downloads::Cut) => http::respond_half(stream, "application/octet-stream", &blob).await,
        (Some(mut blob), how) => {
            if how == Downloads::Wrong {
                blob.iter_mut().for_each(|byte| *byte ^= 0xff);
            }
            http::respond(stream, "200 OK", "application/octet-stream", &blob).await
        }
    }
}
