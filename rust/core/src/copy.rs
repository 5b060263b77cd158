//! Binary COPY: rows as PostgreSQL reads them, without parsing.
//!
//! Format: <https://www.postgresql.org/docs/18/sql-copy.html>, section "Binary Format".

use bytes::{BufMut, Bytes};
use serde::Serialize;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Microseconds from 1970 to 2000, where PostgreSQL's clock begins.
const EPOCH: i64 = 946_684_800_000_000;

/// One table's rows in the making.
pub struct Rows {
    bytes: Vec<u8>,
    columns: i16,
}

/// Most rows of messages are smaller.
const BYTES_A_ROW: usize = 320;

impl Rows {
    /// About `count` rows of `columns` columns.
    #[must_use]
    pub fn new(columns: i16, count: usize) -> Self {
        let mut bytes = Vec::with_capacity(64 + count * BYTES_A_ROW);
        bytes.put_slice(SIGNATURE);
        bytes.put_i32(0);
        bytes.put_i32(0);
        Self { bytes, columns }
    }

    /// Begins a row; exactly `columns` values follow.
    pub fn row(&mut self) -> &mut Self {
        self.bytes.put_i16(self.columns);
        self
    }

    pub fn int2(&mut self, value: i16) -> &mut Self {
        self.bytes.put_i32(2);
        self.bytes.put_i16(value);
        self
    }

    pub fn int4(&mut self, value: i32) -> &mut Self {
        self.bytes.put_i32(4);
        self.bytes.put_i32(value);
        self
    }

    pub fn int8(&mut self, value: i64) -> &mut Self {
        self.bytes.put_i32(8);
        self.bytes.put_i64(value);
        self
    }

    /// Microseconds since 1970.
    pub fn timestamptz(&mut self, value: i64) -> &mut Self {
        self.int8(value - EPOCH)
    }

    pub fn text(&mut self, value: Option<&str>) -> &mut Self {
        let Some(value) = value else { return self.null() };
        // A value of 2 GiB can't come: an event is at most 16 MiB.
        self.bytes.put_i32(i32::try_from(value.len()).unwrap_or(i32::MAX));
        self.bytes.put_slice(value.as_bytes());
        self
    }

    pub fn jsonb(&mut self, value: Option<&impl Serialize>) -> &mut Self {
        let Some(value) = value else { return self.null() };
        let start = self.bytes.len() + 4;
        self.bytes.put_i32(0);
        // jsonb's wire format has a version byte.
        self.bytes.put_u8(1);
        if serde_json::to_writer(&mut self.bytes, value).is_err() {
            // Nothing of ours does; a row without its file would be better than a batch that never commits.
            self.bytes.truncate(start - 4);
            return self.null();
        }
        let length = i32::try_from(self.bytes.len() - start).unwrap_or(i32::MAX);
        self.bytes[start - 4..start].copy_from_slice(&length.to_be_bytes());
        self
    }

    fn null(&mut self) -> &mut Self {
        self.bytes.put_i32(-1);
        self
    }

    /// The finished stream.
    #[must_use]
    pub fn finish(mut self) -> Bytes {
        self.bytes.put_i16(-1);
        self.bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_as_the_manual_says() {
        let mut rows = Rows::new(4, 1);
        rows.row().int2(7).text(Some("hi")).text(None).jsonb(Some(&["x"]));
        let bytes = rows.finish();
        let mut wanted = SIGNATURE.to_vec();
        wanted.extend([0; 8]);
        wanted.extend([0, 4, 0, 0, 0, 2, 0, 7, 0, 0, 0, 2, b'h', b'i', 255, 255, 255, 255]);
        wanted.extend([0, 0, 0, 6, 1, b'[', b'"', b'x', b'"', b']', 255, 255]);
        assert_eq!(bytes.as_ref(), wanted);
    }
}
