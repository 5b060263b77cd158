//! Binary COPY: rows as PostgreSQL reads them, without parsing.
//!
//! Format: <https://www.postgresql.org/docs/18/sql-copy.html>, section "Binary Format".

use bytes::{BufMut, Bytes, BytesMut};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Microseconds from 1970 to 2000, where PostgreSQL's clock begins.
const EPOCH: i64 = 946_684_800_000_000;

/// One table's rows in the making.
pub struct Rows {
    bytes: BytesMut,
    columns: i16,
}

impl Rows {
    /// Rows of `columns` columns.
    #[must_use]
    pub fn new(columns: i16) -> Self {
        let mut bytes = BytesMut::with_capacity(64 << 10);
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
        self.value(value.map(str::as_bytes), &[])
    }

    pub fn jsonb(&mut self, value: Option<&serde_json::Value>) -> &mut Self {
        // jsonb's wire format has a version byte.
        self.value(value.map(ToString::to_string).as_deref().map(str::as_bytes), &[1])
    }

    fn value(&mut self, value: Option<&[u8]>, prefix: &[u8]) -> &mut Self {
        let Some(value) = value else {
            self.bytes.put_i32(-1);
            return self;
        };
        // A value of 2 GiB can't come: an event is at most 16 MiB.
        self.bytes.put_i32(i32::try_from(prefix.len() + value.len()).unwrap_or(i32::MAX));
        self.bytes.put_slice(prefix);
        self.bytes.put_slice(value);
        self
    }

    /// The finished stream.
    #[must_use]
    pub fn finish(mut self) -> Bytes {
        self.bytes.put_i16(-1);
        self.bytes.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_as_the_manual_says() {
        let mut rows = Rows::new(3);
        rows.row().int2(7).text(Some("hi")).text(None);
        let bytes = rows.finish();
        let mut wanted = SIGNATURE.to_vec();
        wanted.extend([0; 8]);
        wanted.extend([0, 3, 0, 0, 0, 2, 0, 7, 0, 0, 0, 2, b'h', b'i', 255, 255, 255, 255, 255, 255]);
        assert_eq!(bytes.as_ref(), wanted);
    }
}
