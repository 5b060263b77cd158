//! Binary COPY: rows as PostgreSQL reads them, without parsing.
//!
//! Format: <https://www.postgresql.org/docs/18/sql-copy.html>, section "Binary Format".

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;

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

    /// No row was begun.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == SIGNATURE.len() + 8
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
        match value {
            Some(value) => self.bytea(value.as_bytes()),
            None => self.null(),
        }
    }

    pub fn bytea(&mut self, value: &[u8]) -> &mut Self {
        // A value of 2 GiB can't come: neonize's sizes are 32 bits with a sign.
        self.bytes.put_i32(i32::try_from(value.len()).unwrap_or(i32::MAX));
        self.bytes.put_slice(value);
        self
    }

    pub fn jsonb(&mut self, value: Option<&impl Serialize>) -> &mut Self {
        let Some(value) = value else { return self.null() };
        let start = self.bytes.len() + 4;
        self.bytes.put_i32(0);
        // jsonb's wire format has a version byte.
        self.bytes.put_u8(1);
        if serde_json::to_writer((&mut self.bytes).writer(), value).is_err() {
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

    /// What there is of the stream since the last call.
    #[must_use]
    pub fn take(&mut self) -> Bytes {
        self.bytes.split().freeze()
    }

    /// The rest of the stream, which ends with it.
    #[must_use]
    pub fn finish(mut self) -> Bytes {
        self.bytes.put_i16(-1);
        self.bytes.freeze()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn a_row_is_as_the_manual_says() {
        let mut rows = Rows::new(4);
        rows.row().int2(7).text(Some("hi")).text(None).jsonb(Some(&["x"]));
        let bytes = rows.finish();
        let mut wanted = SIGNATURE.to_vec();
        wanted.extend([0; 8]);
        wanted.extend([0, 4, 0, 0, 0, 2, 0, 7, 0, 0, 0, 2, b'h', b'i', 255, 255, 255, 255]);
        wanted.extend([0, 0, 0, 6, 1, b'[', b'"', b'x', b'"', b']', 255, 255]);
        assert_eq!(bytes.as_ref(), wanted);
    }

    #[derive(Clone, Debug)]
    enum Put {
        Int2(i16),
        Int4(i32),
        Int8(i64),
        Time(i64),
        Text(Option<String>),
        Jsonb(Option<Json>),
    }

    impl Put {
        fn put(&self, rows: &mut Rows) {
            match self {
                Self::Int2(value) => rows.int2(*value),
                Self::Int4(value) => rows.int4(*value),
                Self::Int8(value) => rows.int8(*value),
                Self::Time(value) => rows.timestamptz(*value),
                Self::Text(value) => rows.text(value.as_deref()),
                Self::Jsonb(value) => rows.jsonb(value.as_ref()),
            };
        }

        /// Whether `bytes` are this value as the manual has it; None is NULL.
        fn is(&self, bytes: Option<&[u8]>) -> bool {
            // Of PostgreSQL's own epoch, 2000-01-01, in Unix microseconds.
            let since_2000 = |value: i64| i128::from(value) - 946_684_800 * 1_000_000;
            match (self, bytes) {
                (Self::Int2(value), Some(bytes)) => bytes == value.to_be_bytes(),
                (Self::Int4(value), Some(bytes)) => bytes == value.to_be_bytes(),
                (Self::Int8(value), Some(bytes)) => bytes == value.to_be_bytes(),
                (Self::Time(value), Some(bytes)) => {
                    bytes.try_into().is_ok_and(|found| i128::from(i64::from_be_bytes(found)) == since_2000(*value))
                }
                (Self::Text(Some(value)), Some(bytes)) => bytes == value.as_bytes(),
                (Self::Jsonb(Some(value)), Some([1, json @ ..])) => {
                    serde_json::from_slice::<Json>(json).is_ok_and(|found| found == *value)
                }
                (Self::Text(None) | Self::Jsonb(None), None) => true,
                _ => false,
            }
        }
    }

    /// A stream taken apart: of each row its values.
    fn rows_of(mut stream: &[u8]) -> Vec<Vec<Option<&[u8]>>> {
        fn take<'a>(stream: &mut &'a [u8], count: usize) -> &'a [u8] {
            let (taken, rest) = stream.split_at(count);
            *stream = rest;
            taken
        }
        assert_eq!(take(&mut stream, 11), b"PGCOPY\n\xff\r\n\0");
        assert_eq!(take(&mut stream, 8), [0; 8]);
        let mut rows = Vec::new();
        loop {
            let count = i16::from_be_bytes(take(&mut stream, 2).try_into().unwrap());
            if count == -1 {
                assert!(stream.is_empty());
                return rows;
            }
            let values = (0..count).map(|_| {
                let length = i32::from_be_bytes(take(&mut stream, 4).try_into().unwrap());
                (length >= 0).then(|| take(&mut stream, length as usize))
            });
            rows.push(values.collect());
        }
    }

    fn some_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(|number| json!(number)),
            any::<u64>().prop_map(|number| json!(number)),
            any::<bool>().prop_map(|flag| json!(flag)),
            any::<String>().prop_map(|text| json!(text)),
            Just(Json::Null),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                proptest::collection::hash_map(any::<String>(), inner, 0..4)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    fn some_value() -> impl Strategy<Value = Put> {
        prop_oneof![
            any::<i16>().prop_map(Put::Int2),
            any::<i32>().prop_map(Put::Int4),
            any::<i64>().prop_map(Put::Int8),
            // From the year 1 to the year 9999.
            (-62_135_596_800_000_000..=253_402_300_799_999_999i64).prop_map(Put::Time),
            any::<Option<String>>().prop_map(Put::Text),
            proptest::option::of(some_json()).prop_map(Put::Jsonb),
        ]
    }

    proptest! {
        #[test]
        fn any_rows_can_be_read_back(
            wanted in (0..7usize).prop_flat_map(|columns| {
                proptest::collection::vec(proptest::collection::vec(some_value(), columns), 0..5)
            }),
        ) {
            let columns = wanted.first().map_or(0, Vec::len);
            let mut rows = Rows::new(columns as i16);
            for row in &wanted {
                rows.row();
                row.iter().for_each(|value| value.put(&mut rows));
            }
            let stream = rows.finish();
            let found = rows_of(&stream);
            prop_assert_eq!(found.len(), wanted.len());
            for (found, wanted) in found.iter().zip(&wanted) {
                prop_assert_eq!(found.len(), wanted.len());
                prop_assert!(found.iter().zip(wanted).all(|(found, wanted)| wanted.is(*found)), "{:?}", wanted);
            }
        }
    }
}
