//! HTTP/1.1 as far as a CONNECT proxy, a WebSocket upgrade and file transfers need it.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Go's client sends about 400 bytes of headers.
const MAX_HEAD: usize = 16 * 1024;
/// WhatsApp's own limit for documents is 2 GB; the simulator keeps a body in memory, so it says no earlier.
const MAX_BODY: usize = 128 << 20;

/// The first line and headers of a request.
pub struct Request {
    pub method: String,
    pub target: String,
    headers: Vec<(String, String)>,
}

impl Request {
    /// The value of the header called `name` (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// Reads the head of the next request; bytes beyond it stay in `pending`. `None` when the peer closed between requests.
///
/// # Errors
/// The connection broke inside a head, or it is no HTTP.
pub async fn read_head<S: AsyncRead + Unpin>(stream: &mut S, pending: &mut Vec<u8>) -> io::Result<Option<Request>> {
    loop {
        if let Some(end) = pending.windows(4).position(|window| window == b"\r\n\r\n") {
            let head: Vec<u8> = pending.drain(..end + 4).collect();
            return parse(&head).map(Some);
        }
        if pending.len() > MAX_HEAD {
            return Err(bad(format!("a head of more than {MAX_HEAD} bytes")));
        }
        let before = pending.len();
        pending.resize(before + 2048, 0);
        let count = stream.read(&mut pending[before..]).await?;
        pending.truncate(before + count);
        if count == 0 {
            return if pending.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
    }
}

/// Reads the body `request` announces.
///
/// # Errors
/// It is too long, or the connection broke inside it.
pub async fn read_body<S>(stream: &mut S, pending: &mut Vec<u8>, request: &Request) -> io::Result<Vec<u8>>
where
    S: AsyncRead + Unpin,
{
    let length = request.header("content-length").unwrap_or("0");
    let length: usize = length.parse().map_err(|_| bad(format!("Content-Length {length:?}")))?;
    if length > MAX_BODY {
        return Err(bad(format!("a body of {length} bytes, at most {MAX_BODY} are taken")));
    }
    let take = length.min(pending.len());
    let mut body: Vec<u8> = pending.drain(..take).collect();
    body.resize(length, 0);
    stream.read_exact(&mut body[take..]).await?;
    Ok(body)
}

/// Writes a whole answer; the connection stays open.
///
/// # Errors
/// The connection broke.
pub async fn respond<S>(stream: &mut S, status: &str, content_type: &str, body: &[u8]) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    stream.write_all(head(status, content_type, body.len()).as_bytes()).await?;
    stream.write_all(body).await?;
    stream.flush().await
}

/// Begins a whole answer and breaks the connection in the middle of its body.
///
/// # Errors
/// Always: the connection is broken.
pub async fn respond_half<S>(stream: &mut S, content_type: &str, body: &[u8]) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    stream.write_all(head("200 OK", content_type, body.len()).as_bytes()).await?;
    stream.write_all(&body[..body.len() / 2]).await?;
    stream.flush().await?;
    Err(io::ErrorKind::ConnectionAborted.into())
}

fn head(status: &str, content_type: &str, length: usize) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n")
}

fn parse(head: &[u8]) -> io::Result<Request> {
    let text = std::str::from_utf8(head).map_err(|_| bad("a head that is not UTF-8"))?;
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let mut words = first.split(' ');
    let (Some(method), Some(target), Some(_version)) = (words.next(), words.next(), words.next()) else {
        return Err(bad(format!("request line {first:?}")));
    };
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok(Request { method: method.to_owned(), target: target.to_owned(), headers })
}

fn bad(what: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not the HTTP this server speaks: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn heads_and_bodies_are_read_one_after_the_other() {
        let mut stream: &[u8] =
            b"POST /mms/image/x?auth=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /y HTTP/1.1\r\n\r\n";
        let mut pending = Vec::new();
        let first = read_head(&mut stream, &mut pending).await.unwrap().unwrap();
        assert_eq!((first.method.as_str(), first.path(), first.header("host")), ("POST", "/mms/image/x", Some("h")));
        assert_eq!(read_body(&mut stream, &mut pending, &first).await.unwrap(), b"abc");
        assert_eq!(read_head(&mut stream, &mut pending).await.unwrap().unwrap().target, "/y");
        assert!(read_head(&mut stream, &mut pending).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_is_refused_before_memory_is_taken() {
        let mut stream: &[u8] = b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n";
        let mut pending = Vec::new();
        let head = read_head(&mut stream, &mut pending).await.unwrap().unwrap();
        assert!(read_body(&mut stream, &mut pending, &head).await.is_err());
    }

    #[tokio::test]
    async fn a_head_cut_short_is_an_error() {
        let mut stream: &[u8] = b"GET / HT";
        assert!(read_head(&mut stream, &mut Vec::new()).await.is_err());
    }
}
