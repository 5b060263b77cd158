//! Reading protobuf without building objects: fields come as they lie in the bytes.

/// One field: its number and what it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field<'a> {
    pub number: u32,
    pub value: Value<'a>,
}

/// What a field holds on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    /// The bytes of a string, bytes or message field; empty for a number.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        match self.value {
            Value::Bytes(bytes) => bytes,
            Value::Number(_) => &[],
        }
    }

    /// The number of a varint or fixed field; 0 for bytes.
    #[must_use]
    pub fn number(&self) -> u64 {
        match self.value {
            Value::Number(number) => number,
            Value::Bytes(_) => 0,
        }
    }

    /// Whether a bool field is set.
    #[must_use]
    pub fn flag(&self) -> bool {
        self.number() != 0
    }
}

/// The fields of a message, until the end or the first byte that is no protobuf.
#[derive(Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
    broken: bool,
}

/// Iterates over the fields of a message.
#[must_use]
pub fn fields(bytes: &[u8]) -> Fields<'_> {
    Fields { rest: bytes, broken: false }
}

/// The last field with this number, which is the one that counts in protobuf.
#[must_use]
pub fn find(bytes: &[u8], number: u32) -> Option<Field<'_>> {
    fields(bytes).filter(|field| field.number == number).last()
}

/// The bytes of every field with this number, in order.
pub fn repeated(bytes: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    fields(bytes).filter(move |field| field.number == number).map(|field| field.bytes())
}

/// The bytes of the field with this number; empty when it is not there.
#[must_use]
pub fn bytes_of(bytes: &[u8], number: u32) -> &[u8] {
    find(bytes, number).map_or(&[], |field| field.bytes())
}

/// The number of the field with this number; 0 when it is not there.
#[must_use]
pub fn number_of(bytes: &[u8], number: u32) -> u64 {
    find(bytes, number).map_or(0, |field| field.number())
}

/// The fields with numbers below `N`, of each the last: for messages of which many are wanted, read once.
pub struct Table<'a, const N: usize> {
    values: [Option<Value<'a>>; N],
}

/// Reads a message into a table.
#[must_use]
pub fn table<const N: usize>(bytes: &[u8]) -> Table<'_, N> {
    let mut values = [None; N];
    for field in fields(bytes) {
        if let Some(value) = values.get_mut(field.number as usize) {
            *value = Some(field.value);
        }
    }
    Table { values }
}

impl<'a, const N: usize> Table<'a, N> {
    /// The bytes of the field with this number; empty when it is not there.
    #[must_use]
    pub fn bytes(&self, number: usize) -> &'a [u8] {
        match self.values[number] {
            Some(Value::Bytes(bytes)) => bytes,
            _ => &[],
        }
    }

    /// The number of the field with this number, if it is there; 0 for bytes.
    #[must_use]
    pub fn find(&self, number: usize) -> Option<u64> {
        self.values[number].map(|value| match value {
            Value::Number(number) => number,
            Value::Bytes(_) => 0,
        })
    }
}

/// Whether all of it is protobuf.
#[must_use]
pub fn is_whole(bytes: &[u8]) -> bool {
    let mut fields = fields(bytes);
    fields.by_ref().for_each(drop);
    fields.is_whole()
}

impl<'a> Fields<'a> {
    /// After the last field: whether the message ended there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.broken
    }

    #[inline(always)]
    fn varint(&mut self) -> Option<u64> {
        // Nearly every tag and length has one byte, and of the others nearly every one two.
        match *self.rest {
            [byte, ref rest @ ..] if byte < 128 => {
                self.rest = rest;
                Some(u64::from(byte))
            }
            [low, high, ref rest @ ..] if high < 128 => {
                self.rest = rest;
                Some(u64::from(low & 127) | u64::from(high) << 7)
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for (index, byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 127) << (7 * index);
            if byte & 128 == 0 {
                self.rest = &self.rest[index + 1..];
                return Some(value);
            }
        }
        None
    }

    #[inline]
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    #[inline(always)]
    fn read(&mut self) -> Option<Field<'a>> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0)?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => Value::Number(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            3 => self.group()?,
            5 => Value::Number(u64::from(u32::from_le_bytes(self.take(4)?.try_into().ok()?))),
            _ => return None,
        };
        Some(Field { number, value })
    }

    /// Groups are an old kind of field that WhatsApp doesn't use: all that counts is where this one ends.
    #[cold]
    fn group(&mut self) -> Option<Value<'a>> {
        let mut open = 1u32;
        while open > 0 {
            match self.varint()? & 7 {
                0 => drop(self.varint()?),
                1 => drop(self.take(8)?),
                2 => {
                    let length = usize::try_from(self.varint()?).ok()?;
                    self.take(length)?;
                }
                3 => open += 1,
                4 => open -= 1,
                5 => drop(self.take(4)?),
                _ => return None,
            }
        }
        Some(Value::Number(0))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_none() {
            (self.rest, self.broken) = (&[], true);
        }
        field
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_of_a_repeated_field_counts() {
        // field 1 = 5, field 2 = "ab", field 1 = 300
        let bytes = [0x08, 5, 0x12, 2, b'a', b'b', 0x08, 0xac, 0x02];
        assert_eq!((number_of(&bytes, 1), bytes_of(&bytes, 2)), (300, b"ab".as_slice()));
        let table = table::<2>(&bytes);
        assert_eq!((table.find(1), table.find(0), table.bytes(1)), (Some(300), None, b"".as_slice()));
        assert!(is_whole(&bytes) && !is_whole(&bytes[..8]) && find(&bytes, 3).is_none());
    }

    #[test]
    fn a_group_is_a_field_of_its_number() {
        // group 1 with field 2 = "x", group 3 in it, then field 4 = 5
        let bytes = [0x0b, 0x12, 1, b'x', 0x1b, 0x1c, 0x0c, 0x20, 5];
        let found: Vec<_> = fields(&bytes).map(|field| (field.number, field.value)).collect();
        assert_eq!(found, [(1, Value::Number(0)), (4, Value::Number(5))]);
        assert!(is_whole(&bytes) && !is_whole(&bytes[..6]) && !is_whole(&bytes[6..]));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(fields(&bytes).count() <= bytes.len());
        }
    }
}
