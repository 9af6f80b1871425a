//! Protocol buffers, as far as ONNX files need them: fields one after the other, whole numbers as varints.

/// A message that is being written. Fields are numbered as in `onnx.proto`.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// How what follows a key is laid out.
const VARINT: u64 = 0;
const LENGTH: u64 = 2;

impl Message {
    /// A whole number; negative ones take ten bytes.
    pub fn int(mut self, field: u64, x: i64) -> Self {
        self.varint(field << 3 | VARINT);
        self.varint(x as u64);
        self
    }

    /// Whole numbers, one field each.
    pub fn ints(self, field: u64, all: &[i64]) -> Self {
        all.iter().fold(self, |message, &x| message.int(field, x))
    }

    /// Bytes behind their length.
    pub fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | LENGTH);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    /// Text.
    pub fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    /// A message in this one.
    pub fn message(self, field: u64, inner: &Self) -> Self {
        self.bytes(field, &inner.0)
    }

    /// Messages, one field each.
    pub fn messages(self, field: u64, all: &[Self]) -> Self {
        all.iter().fold(self, |message, inner| message.message(field, inner))
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Seven bits a byte, the lowest first; the top bit says that more follow.
    fn varint(&mut self, mut x: u64) {
        while x >= 0x80 {
            self.0.push(x as u8 | 0x80);
            x >>= 7;
        }
        self.0.push(x as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the description of the encoding, and a negative number.
    #[test]
    fn bytes_are_those_of_the_encoding() {
        let of = |message: Message| message.into_bytes();
        assert_eq!(of(Message::default().int(1, 150)), [0x08, 0x96, 0x01]);
        assert_eq!(of(Message::default().text(2, "testing")), b"\x12\x07testing");
        assert_eq!(of(Message::default().message(3, &Message::default().int(1, 150))), [0x1a, 3, 8, 0x96, 1]);
        let negative = of(Message::default().ints(16, &[-1]));
        assert!(negative[..2] == [0x80, 0x01] && negative[2..11] == [0xff; 9] && negative[11..] == [1]);
    }
}
