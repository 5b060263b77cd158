//! The profile file: all a client needs to take this server for WhatsApp.

use std::{fs, io, net::SocketAddr, path::Path};

use serde_json::json;

use crate::world::World;

/// Writes `loopback.json` in `folder`, whole or not at all. The fields are those of every wafast loopback profile;
/// `control` is this simulator's own.
///
/// # Errors
/// The folder is not writable.
pub fn write(folder: &Path, world: &World, proxy: SocketAddr, control: SocketAddr) -> io::Result<()> {
    let folder = folder.canonicalize()?;
    let root: String = world.secrets.root_public().iter().map(|byte| format!("{byte:02x}")).collect();
    let profile = json!({
        "proxy": format!("http://{proxy}"),
        "ca_file": folder.join("ca.crt"),
        "noise_root": root,
        "control": control.to_string(),
    });
    let part = folder.join("loopback.json.part");
    fs::write(&part, format!("{profile:#}\n"))?;
    fs::rename(part, folder.join("loopback.json"))
}
