//! The only place that opens a socket, and only on 127.0.0.1. Nothing here or elsewhere in this crate ever dials out:
//! a CONNECT is answered by handing the very same socket to our own TLS side.

use std::{io, net::Ipv4Addr};

use tokio::net::TcpListener;

/// Listens on 127.0.0.1:`port`; 0 lets the system choose.
///
/// # Errors
/// The port is taken.
pub async fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on 127.0.0.1:{port}: {error}")))
}
