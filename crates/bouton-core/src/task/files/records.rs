//! Events of a recording, from the bytes of its file.
//!
//! N-MNIST (Orchard et al. 2015), 5 bytes: x | y | p t₂₂…t₁₆ | t₁₅…t₈ | t₇…t₀, t in µs; a record with y = 240 is no event and says
//! that all later times are 2¹³ larger.
//!
//! AEDAT 2.0 of a DVS128 (jAER), lines that begin with `#`, then 8 bytes: address | t in µs, both of 32 bits, highest byte first;
//! bit 0 of an address is p, bits 1 to 7 are x, bits 8 to 14 are y.

use super::events::{Events, Form};
use crate::{Error, Result};

/// The y of a record that stands for time.
const OVERFLOW: u8 = 240;
/// By how much later times are later.
const LATER: u64 = 1 << 13;
/// First line of a file of AEDAT 2.0.
const AEDAT: &[u8] = b"#!AER-DAT2.0";

/// One change of brightness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Column and row of the pixel.
    pub x: usize,
    pub y: usize,
    /// Polarity, 0 or 1, as the file has it.
    pub p: usize,
    /// Time in µs.
    pub t: u64,
}

/// The events of the file `place`, in their order; times count from the first one.
///
/// # Errors
/// [`Error::Data`] with the record, counted from 1, if it is torn, empty, out of order or out of range.
pub(super) fn read(bytes: &[u8], place: &str, spec: &Events) -> Result<Vec<Event>> {
    let fail = |why: String, hint: &str| Error::data(format!("{place}: {why}")).with_hint(hint);
    let (bytes, size) = match spec.form {
        Form::NMnist => (bytes, 5),
        Form::Aedat2 => (body(bytes).map_err(|why| fail(why.into(), "save it as AEDAT 2.0"))?, 8),
    };
    let rest = bytes.len() % size;
    if rest > 0 {
        let why = format!("record {} is torn: {rest} bytes of {size}", bytes.len() / size + 1);
        return Err(fail(why, "copy the file again, or change task.files.events.form"));
    }
    let (mut events, mut later) = (Vec::<Event>::with_capacity(bytes.len() / size), 0);
    for (i, record) in bytes.chunks_exact(size).enumerate() {
        let wrong = |why: String, hint: &str| fail(format!("record {}: {why}", i + 1), hint);
        let event = match spec.form {
            Form::NMnist if record[1] == OVERFLOW => {
                later += LATER;
                continue;
            }
            Form::NMnist => n_mnist(record, later),
            Form::Aedat2 => dvs128(record).map_err(|why| wrong(why, "only events of a DVS128 are read"))?,
        };
        let [height, width] = spec.size;
        if event.x >= width || event.y >= height {
            let why = format!("x = {}, y = {} are not in {height}x{width}", event.x, event.y);
            return Err(wrong(why, "task.files.events.size is [height, width], or form is another one"));
        }
        if let Some(before) = events.last().filter(|before| before.t > event.t) {
            let why = format!("{} µs after {} µs", event.t, before.t);
            return Err(wrong(why, "events stand in the order of their times; sort them"));
        }
        events.push(event);
    }
    let first = events.first().ok_or_else(|| fail("no events".into(), "remove the file"))?.t;
    events.iter_mut().for_each(|event| event.t -= first);
    Ok(events)
}

fn n_mnist(record: &[u8], later: u64) -> Event {
    let t = u32::from_be_bytes([0, record[2] & 0x7f, record[3], record[4]]);
    let [x, y, p] = [record[0], record[1], record[2] >> 7].map(usize::from);
    Event { x, y, p, t: later + u64::from(t) }
}

fn dvs128(record: &[u8]) -> std::result::Result<Event, String> {
    let [address, t] =
        [0, 4].map(|i| u32::from_be_bytes([record[i], record[i + 1], record[i + 2], record[i + 3]]));
    if address >> 15 != 0 {
        return Err(format!("address {address:#x} has more than 15 bits"));
    }
    let bits = |from: u32, mask: u32| (address >> from & mask) as usize;
    Ok(Event { x: bits(1, 0x7f), y: bits(8, 0x7f), p: bits(0, 1), t: t.into() })
}

/// What stands behind the lines of a header.
fn body(bytes: &[u8]) -> std::result::Result<&[u8], &'static str> {
    if !bytes.starts_with(AEDAT) {
        return Err("the first line is not `#!AER-DAT2.0`");
    }
    let mut rest = bytes;
    while rest.first() == Some(&b'#') {
        let end = rest.iter().position(|b| *b == b'\n').ok_or("its header has no end")?;
        rest = &rest[end + 1..];
    }
    Ok(rest)
}
