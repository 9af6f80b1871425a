//! TensorBoard event files with scalars, in the framing that TensorBoard itself checks:
//!
//! `u64 length · u32 mask(crc32c(length)) · payload · u32 mask(crc32c(payload))`, all little-endian, with
//! `mask(c) = rotate_right(c, 15) + 0xa282ead8` and the Castagnoli polynomial. A payload is a protobuf `Event`:
//! `09` wall time (f64), `10` step (varint), then `1a` file version, `2a` summary or `3a` session log.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::metrics::Record;
use crate::io::crc32c::crc32c;
use crate::{Error, Result};

/// Appends scalars to one event file.
#[derive(Debug)]
pub struct EventWriter {
    file: File,
    path: PathBuf,
}

impl EventWriter {
    /// Starts a new event file in `folder`. TensorBoard is told to forget what earlier files of the folder hold: the points
    /// after `resume_at_step`, all of them if the run begins anew.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be created.
    pub fn create(folder: &Path, resume_at_step: Option<u64>) -> Result<Self> {
        let now = Timestamp::now();
        let (path, file) = new_file(folder, now.as_second())?;
        let mut writer = Self { file, path };
        let wall = seconds(now);
        writer.append(&event(wall, 0, 0x1a, b"brain.Event:2"))?;
        // SessionLog { status: START } purges every point at or after its step.
        let first = resume_at_step.map_or(0, |step| step + 1);
        writer.append(&event(wall, first, 0x3a, &[0x08, 0x01]))?;
        Ok(writer)
    }

    /// The file that is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one point of the curve `tag` (for example `test/accuracy`), stamped with the present time.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk is full.
    pub fn scalar(&mut self, tag: &str, step: u64, value: f64) -> Result<()> {
        self.append(&scalar_event(seconds(Timestamp::now()), step, tag, value as f32))
    }

    /// Appends every value of a record as a point of the curve `<split>/<name>`.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk is full.
    pub fn record(&mut self, record: &Record) -> Result<()> {
        record.values.iter().try_for_each(|(name, &value)| {
            self.scalar(&format!("{}/{name}", record.split), record.step, value)
        })
    }

    fn append(&mut self, payload: &[u8]) -> Result<()> {
        let written = self.file.write_all(&frame(payload)).and_then(|()| self.file.flush());
        written.map_err(|e| Error::io(&self.path, e))
    }
}

/// A file that did not exist, named so that the files of one folder sort by age. The place of the host name is
/// taken by the program's: run directories name no machine.
fn new_file(folder: &Path, unix: i64) -> Result<(PathBuf, File)> {
    let mut number = 0;
    loop {
        let path = folder.join(format!("events.out.tfevents.{unix:010}.bouton.{number:03}"));
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(e) => return Err(Error::io(path, e)),
        }
    }
}

fn seconds(time: Timestamp) -> f64 {
    time.as_microsecond() as f64 * 1e-6
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let mask = |bytes: &[u8]| crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes();
    let length = (payload.len() as u64).to_le_bytes();
    [&length[..], &mask(&length), payload, &mask(payload)].concat()
}

fn event(wall: f64, step: u64, key: u8, content: &[u8]) -> Vec<u8> {
    [&[0x09][..], &wall.to_le_bytes(), &[0x10], &varint(step), &field(key, content)].concat()
}

fn scalar_event(wall: f64, step: u64, tag: &str, value: f32) -> Vec<u8> {
    let point = [field(0x0a, tag.as_bytes()), vec![0x15], value.to_le_bytes().to_vec()].concat();
    event(wall, step, 0x2a, &field(0x0a, &point))
}

fn field(key: u8, content: &[u8]) -> Vec<u8> {
    [&[key][..], &varint(content.len() as u64), content].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn one_record_has_the_bytes_computed_by_hand() {
        // From a bit-by-bit CRC-32C and a hand-packed Event in Python.
        let payload = scalar_event(1_700_000_000.5, 300, "a/b", 0.25);
        let golden = "1a00000000000000129bd82d0900002040fc54d94110ac022a0c0a0a0a0361\
                      2f62150000803e1578d5ec";
        assert_eq!(hex(&frame(&payload)), golden);
    }

    #[test]
    fn varints_carry_seven_bits_a_byte() {
        assert_eq!(varint(0), [0]);
        assert_eq!(varint(127), [0x7f]);
        assert_eq!(varint(128), [0x80, 0x01]);
        assert_eq!(varint(300), [0xac, 0x02]);
    }

    #[test]
    fn files_of_one_second_sort_by_age() {
        let folder = tempfile::tempdir().unwrap();
        let first = EventWriter::create(folder.path(), None).unwrap();
        let second = EventWriter::create(folder.path(), Some(4)).unwrap();
        assert!(first.path() < second.path());
    }

    /// What TensorBoard keeps of the files of a folder: scalars by tag and step, in the order of the files.
    fn kept(folder: &Path) -> Vec<(String, u64)> {
        let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        paths.sort();
        let mut kept: Vec<(String, u64)> = Vec::new();
        for path in paths {
            let bytes = std::fs::read(path).unwrap();
            let mut rest = &bytes[..];
            while rest.len() > 12 {
                let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
                let Some(payload) = rest.get(12..12 + length) else { break };
                rest = rest.get(16 + length..).unwrap_or_default();
                // Behind the time and the key of the step: steps below 128 are one byte.
                let (step, key, content) = (u64::from(payload[10]), payload[11], &payload[13..]);
                match key {
                    0x3a => kept.retain(|(_, s)| *s < step),
                    0x2a => kept
                        .push((String::from_utf8(content[4..4 + content[3] as usize].into()).unwrap(), step)),
                    _ => {}
                }
            }
        }
        kept
    }

    #[test]
    fn no_step_shows_twice_after_a_kill() {
        let folder = tempfile::tempdir().unwrap();
        let write = |resumed, steps: std::ops::RangeInclusive<u64>| {
            let mut writer = EventWriter::create(folder.path(), resumed).unwrap();
            steps.for_each(|step| writer.scalar("batch/loss", step, 0.5).unwrap());
        };
        let steps = || kept(folder.path()).into_iter().map(|(_, step)| step).collect::<Vec<_>>();
        // Killed before the first checkpoint, then after that of step 4, in the middle of a record.
        write(None, 0..=6);
        write(None, 0..=5);
        assert_eq!(steps(), [0, 1, 2, 3, 4, 5]);
        let last = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).max().unwrap();
        let file = OpenOptions::new().write(true).open(&last).unwrap();
        file.set_len(file.metadata().unwrap().len() - 5).unwrap();
        write(Some(3), 4..=7);
        assert_eq!(steps(), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert!(kept(folder.path()).iter().all(|(tag, _)| tag == "batch/loss"));
    }

    #[test]
    fn a_record_becomes_a_point_for_each_value() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(folder.path(), None).unwrap();
        let values = [("accuracy", 0.5), ("loss", f64::NAN)].map(|(name, v)| (name.to_string(), v));
        let record = Record { step: 5, epoch: 1, wall: 2.0, split: "test".into(), values: values.into() };
        writer.record(&record).unwrap();
        let bytes = std::fs::read(writer.path()).unwrap();
        let has = |wanted: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
        assert!(has(b"\x10\x05\x2a\x16\x0a\x14\x0a\x0dtest/accuracy\x15\0\0\0\x3f"));
        assert!(has(b"\x10\x05\x2a\x12\x0a\x10\x0a\x09test/loss\x15\0\0\xc0\x7f"));
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = EventWriter::create(Path::new("/dev/null/x"), None).unwrap_err();
        assert!(error.to_string().contains("/dev/null/x"), "{error}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error_with_the_path() {
        let path = PathBuf::from("/dev/full");
        let file = OpenOptions::new().append(true).open(&path).unwrap();
        let error = EventWriter { file, path }.scalar("x", 1, 1.0).unwrap_err();
        assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("full")), "{error}");
    }
}
