//! The wire form: keys, varints and lengths.

/// The bytes end early, or are no protobuf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

/// What a field holds, as far as the wire tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raw<'a> {
    /// A varint: integers and booleans.
    Number(u64),
    /// Fixed width; no message here has one but they can be read over.
    Fixed(u64),
    Bytes(&'a [u8]),
}

impl Raw<'_> {
    /// What a client writes for a field that was never set.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Number(n) | Self::Fixed(n) => *n == 0,
            Self::Bytes(bytes) => bytes.is_empty(),
        }
    }
}

/// The fields of a message, in the order in which they were written.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Result<u64, Broken> {
        let mut value = 0_u64;
        for place in 0..10_u32 {
            let (first, rest) = self.0.split_first().ok_or(Broken)?;
            self.0 = rest;
            value |= u64::from(first & 0x7f) << (7 * place);
            if first & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Broken)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Broken> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(Broken)?;
        self.0 = rest;
        Ok(head)
    }

    fn field(&mut self) -> Result<(u32, Raw<'a>), Broken> {
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).map_err(|_| Broken)?;
        let little = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |n, b| n << 8 | u64::from(*b));
        let raw = match key & 7 {
            0 => Raw::Number(self.varint()?),
            1 => Raw::Fixed(little(self.take(8)?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Broken)?;
                Raw::Bytes(self.take(length)?)
            }
            5 => Raw::Fixed(little(self.take(4)?)),
            _ => return Err(Broken),
        };
        Ok((number, raw))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Raw<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// A list of numbers in one piece.
pub(super) fn packed(bytes: &[u8]) -> Result<Vec<u64>, Broken> {
    let mut rest = Fields(bytes);
    let mut out = Vec::new();
    while !rest.0.is_empty() {
        out.push(rest.varint()?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wire_type_is_read_and_broken_ones_end_the_message() {
        let all = [0x08, 0x96, 0x01, 0x12, 0x02, b'h', b'i', 0x1d, 1, 0, 0, 0];
        let fields: Vec<_> = Fields(&all).collect();
        assert_eq!(
            fields,
            [
                Ok((1, Raw::Number(150))),
                Ok((2, Raw::Bytes(b"hi"))),
                Ok((3, Raw::Fixed(1)))
            ]
        );
        for broken in [&[0x12, 0x05, b'x'][..], &[0x0b], &[0x80; 11]] {
            let fields: Vec<_> = Fields(broken).collect();
            assert_eq!(fields, [Err(Broken)], "{broken:x?}");
        }
        assert_eq!(packed(&[1, 0x96, 0x01]), Ok(vec![1, 150]));
    }
}
