//! Uploaded files, encrypted as they came, one file each under the hash in their path.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use wafast_protocol::kdf;

/// The folder clients see in a direct path; WhatsApp's looks alike.
const PREFIX: &str = "/v/t62.7118-24/";

/// Where encrypted files lie.
pub struct MediaStore {
    folder: PathBuf,
}

impl MediaStore {
    /// Uses `folder`, which is made.
    ///
    /// # Errors
    /// It can't be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Keeps a file and gives its direct path, which starts with `/` and holds a `?` as whatsmeow wants.
    ///
    /// # Errors
    /// The disk is full.
    pub fn put(&self, blob: &[u8]) -> io::Result<String> {
        let name = URL_SAFE_NO_PAD.encode(kdf::sha256(&[blob]));
        let file = self.folder.join(&name);
        if !file.exists() {
            let part = self.folder.join(format!("{name}.part"));
            fs::write(&part, blob)?;
            fs::rename(&part, file)?;
        }
        Ok(format!("{PREFIX}{name}?ccb=1"))
    }

    /// The file at a direct path, with or without its query.
    pub fn get(&self, direct_path: &str) -> Option<Vec<u8>> {
        fs::read(self.file(direct_path)?).ok()
    }

    fn file(&self, direct_path: &str) -> Option<PathBuf> {
        let path = direct_path.split(['?', '&']).next()?;
        let name = path.strip_prefix(PREFIX)?;
        let plain = !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'));
        plain.then(|| self.folder.join(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_back_by_its_path_and_nothing_else_does() {
        let folder = std::env::temp_dir().join(format!("wafast-media-{}", std::process::id()));
        let store = MediaStore::open(&folder.join("media")).unwrap();
        fs::write(folder.join("secret"), b"no").unwrap();
        let path = store.put(b"blob").unwrap();
        assert!(path.starts_with('/') && path.contains('?'));
        assert_eq!(store.get(&format!("{path}&hash=x")).unwrap(), b"blob");
        for wrong in ["/v/t62.7118-24/../secret", "/etc/passwd", "/v/t62.7118-24/", "secret"] {
            assert!(store.get(wrong).is_none(), "{wrong}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
