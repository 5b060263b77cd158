//! The control port: one line of JSON in, one out. `{"op": …}` gets `{"ok": …}` or `{"error": "…"}`.

mod carry_out;
mod chats;
mod order;
mod view;

use std::{io, sync::Arc};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::world::World;

/// An order with a picture in base64 is the longest.
const MAX_LINE: u64 = 32 << 20;

/// Takes connections for ever.
pub async fn accept(world: Arc<World>, listener: TcpListener) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                // a client that hangs up early has only itself to tell
                let _ = serve(&world, stream).await;
            });
        }
    }
}

async fn serve(world: &Arc<World>, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if (&mut stream).take(MAX_LINE).read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let mut answer = answer(world, &line).await.to_string();
        answer.push('\n');
        stream.write_all(answer.as_bytes()).await?;
    }
}

async fn answer(world: &Arc<World>, line: &str) -> Value {
    let done = match serde_json::from_str(line) {
        Ok(order) => carry_out::carry_out(world, order).await,
        Err(error) => Err(format!("no such order: {error}")),
    };
    match done {
        Ok(value) => json!({"ok": value}),
        Err(reason) => json!({"error": reason}),
    }
}
