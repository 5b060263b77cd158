//! Any rows as a COPY stream, taken apart again.

#![no_main]

use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};
use wafast_core::copy::Rows;

#[derive(Arbitrary, Debug)]
struct Row {
    number: i64,
    small: i16,
    text: Option<String>,
    middle: i32,
}

fn take<'a>(stream: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = stream.split_at(count);
    *stream = rest;
    taken
}

fn value<'a>(stream: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = i32::from_be_bytes(take(stream, 4).try_into().unwrap());
    usize::try_from(length).ok().map(|length| take(stream, length))
}

fuzz_target!(|wanted: Vec<Row>| {
    let mut rows = Rows::new(4);
    for row in &wanted {
        rows.row().int8(row.number).int2(row.small).text(row.text.as_deref()).int4(row.middle);
    }
    let stream = rows.finish();
    let mut stream = &stream[19..];
    for row in &wanted {
        assert_eq!(take(&mut stream, 2), 4i16.to_be_bytes());
        assert_eq!(value(&mut stream), Some(row.number.to_be_bytes().as_slice()));
        assert_eq!(value(&mut stream), Some(row.small.to_be_bytes().as_slice()));
        assert_eq!(value(&mut stream), row.text.as_deref().map(str::as_bytes));
        assert_eq!(value(&mut stream), Some(row.middle.to_be_bytes().as_slice()));
    }
    assert_eq!(stream, (-1i16).to_be_bytes());
});
