//! `metrics.jsonl`: one line per logged point, appended and never rewritten while a run goes on.
//!
//! `{"step":1200,"epoch":3,"wall":84.1,"split":"test","accuracy":0.9712,"residual.free":1.2e-7}`
//!
//! A number that is not finite is written as `null` (JSON has no NaN) and read back as NaN: a run that diverges
//! stays visible in its metrics. A quantity of one phase is named `<quantity>.<phase>`.
//!
//! **Order that makes a resumed run exact:** all lines of step `s` are appended before the checkpoint of step `s`
//! is written. Resuming at `s` then cuts whatever came later, and the file continues as if nothing had happened
//! (only `wall` differs).

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};

use super::atomic;
use crate::{Error, Result};

/// Names that a value cannot have, because the line uses them itself.
const RESERVED: [&str; 4] = ["step", "epoch", "wall", "split"];

/// One line: what was measured at one moment on one split of the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Updates done.
    pub step: u64,
    /// The epoch, counted from 1, in which the last update before the point was made; 0 before any.
    pub epoch: u64,
    /// Seconds of work since the run began, earlier processes included.
    pub wall: f64,
    /// Which data: `train`, `test`, …
    pub split: String,
    /// The measured numbers by name; NaN where the measured number was not finite.
    #[serde(flatten, deserialize_with = "null_is_nan")]
    pub values: BTreeMap<String, f64>,
}

/// Numbers by name, of which those that are not finite are written as `null`.
pub(crate) fn null_is_nan<'de, D: Deserializer<'de>>(
    from: D,
) -> std::result::Result<BTreeMap<String, f64>, D::Error> {
    let values = BTreeMap::<String, Option<f64>>::deserialize(from)?;
    Ok(values.into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect())
}

/// What `metrics.jsonl` holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    /// All complete lines in order.
    pub records: Vec<Record>,
    /// Set if the last line was torn (its writer was killed) and therefore left out.
    pub note: Option<String>,
}

/// Reads `metrics.jsonl`. A torn last line is left out and noted.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Data`] with the line's number if a complete line is garbled.
pub fn read(path: &Path) -> Result<Metrics> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    parse(&bytes, &path.display().to_string())
}

/// As [`read`], from the bytes of the file; `origin` is what messages call it.
///
/// # Errors
/// [`Error::Data`] with the line's number if a complete line is garbled.
pub fn parse(bytes: &[u8], origin: &str) -> Result<Metrics> {
    let mut metrics = Metrics::default();
    for line in lines(origin, bytes) {
        match line? {
            Line::Record { record, .. } => metrics.records.push(record),
            Line::Torn { number } => {
                metrics.note = Some(format!("{origin}:{number}: the last line is torn and was left out"));
            }
        }
    }
    Ok(metrics)
}

enum Line {
    /// `end` is the offset behind the line.
    Record {
        record: Record,
        end: usize,
    },
    Torn {
        number: usize,
    },
}

fn lines<'a>(origin: &'a str, bytes: &'a [u8]) -> impl Iterator<Item = Result<Line>> + 'a {
    let mut end = 0;
    bytes.split_inclusive(|&b| b == b'\n').enumerate().map(move |(i, line)| {
        end += line.len();
        match serde_json::from_slice(line) {
            Ok(record) => Ok(Line::Record { record, end }),
            Err(_) if !line.ends_with(b"\n") => Ok(Line::Torn { number: i + 1 }),
            Err(e) => Err(Error::data(format!("{origin}:{}: garbled line: {e}", i + 1))
                .with_hint("remove that line, or restore the file from a copy")),
        }
    })
}

/// Appends to `metrics.jsonl`.
#[derive(Debug)]
pub struct MetricsWriter {
    file: File,
    path: PathBuf,
    wall: f64,
}

impl MetricsWriter {
    /// Opens `path` for appending: empty for a new run (`None`), or with everything after step `Some(s)` and a
    /// torn last line cut off, for a run that goes on from the checkpoint of step `s`.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read or written, [`Error::Data`] if a complete line is garbled.
    pub fn open(path: &Path, resume_at_step: Option<u64>) -> Result<Self> {
        let (mut kept, mut wall) = (Vec::new(), 0.0);
        if let Some(step) = resume_at_step.filter(|_| path.exists()) {
            (kept, wall) = keep_up_to(path, step)?;
        }
        atomic::write(path, kept)?;
        let file = OpenOptions::new().append(true).open(path).map_err(|e| Error::io(path, e))?;
        Ok(Self { file, path: path.into(), wall })
    }

    /// Seconds of work recorded in the lines that were kept; a resumed run counts on from here.
    pub fn wall(&self) -> f64 {
        self.wall
    }

    /// Appends one line in a single write.
    ///
    /// # Errors
    /// [`Error::Config`] if a value is named like a field of the line, [`Error::Io`] if the disk is full.
    pub fn write(&mut self, record: &Record) -> Result<()> {
        if let Some(name) = RESERVED.iter().find(|name| record.values.contains_key(**name)) {
            return Err(Error::config(format!("a metric cannot be named `{name}`")));
        }
        let mut line = serde_json::to_string(record).expect("a record is plain data");
        line.push('\n');
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.flush());
        written.map_err(|e| Error::io(&self.path, e))
    }
}

/// The bytes of the lines up to and including `step`, and the wall time of the last of them.
fn keep_up_to(path: &Path, step: u64) -> Result<(Vec<u8>, f64)> {
    let mut bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let (mut keep, mut wall) = (0, 0.0);
    for line in lines(&path.display().to_string(), &bytes) {
        match line? {
            Line::Record { record, end } if record.step <= step => (keep, wall) = (end, record.wall),
            _ => break,
        }
    }
    bytes.truncate(keep);
    if keep > 0 && bytes[keep - 1] != b'\n' {
        bytes.push(b'\n');
    }
    Ok((bytes, wall))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: u64, wall: f64) -> Record {
        let values =
            BTreeMap::from([("accuracy".to_string(), 0.5 + step as f64), ("loss".to_string(), 0.25)]);
        Record { step, epoch: step / 10, wall, split: "test".into(), values }
    }

    fn file(content: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        std::fs::write(&path, content).unwrap();
        (folder, path)
    }

    fn content(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_line_looks_as_documented() {
        let (_folder, path) = file("");
        MetricsWriter::open(&path, None).unwrap().write(&record(12, 84.1)).unwrap();
        let expected =
            "{\"step\":12,\"epoch\":1,\"wall\":84.1,\"split\":\"test\",\"accuracy\":12.5,\"loss\":0.25}\n";
        assert_eq!(content(&path), expected);
        assert_eq!(read(&path).unwrap(), Metrics { records: vec![record(12, 84.1)], note: None });
    }

    #[test]
    fn what_is_not_finite_is_null_and_comes_back_as_nan() {
        let (_folder, path) = file("");
        let mut diverged = record(1, 0.0);
        diverged.values.insert("loss".into(), f64::INFINITY);
        MetricsWriter::open(&path, None).unwrap().write(&diverged).unwrap();
        assert!(content(&path).contains("\"loss\":null"));
        let back = &read(&path).unwrap().records[0];
        assert!(back.values["loss"].is_nan() && back.values["accuracy"] == 1.5);
    }

    #[test]
    fn a_resumed_file_has_the_lines_of_an_uninterrupted_one() {
        let (_folder, whole) = file("");
        let mut writer = MetricsWriter::open(&whole, None).unwrap();
        (1..=6).for_each(|step| writer.write(&record(step, step as f64)).unwrap());

        // Killed while writing step 5, the last checkpoint being that of step 3.
        let cut = content(&whole).find("{\"step\":5").unwrap() + 20;
        let (_folder, path) = file(&content(&whole)[..cut]);
        let mut writer = MetricsWriter::open(&path, Some(3)).unwrap();
        assert_eq!(writer.wall(), 3.0);
        assert_eq!(content(&path).lines().count(), 3);
        (4..=6).for_each(|step| writer.write(&record(step, 100.0 + step as f64)).unwrap());

        let without_wall = |path: &Path| {
            let mut records = read(path).unwrap().records;
            records.iter_mut().for_each(|r| r.wall = 0.0);
            records
        };
        assert_eq!(without_wall(&path), without_wall(&whole));
    }

    #[test]
    fn resuming_where_nothing_is_torn_changes_no_byte() {
        let lines = "{\"step\":0,\"epoch\":0,\"wall\":0.10,\"split\":\"a\",\"x\":1}\n".repeat(3);
        let (_folder, path) = file(&lines);
        MetricsWriter::open(&path, Some(0)).unwrap();
        assert_eq!(content(&path), lines);
        MetricsWriter::open(&path, None).unwrap();
        assert_eq!(content(&path), "");
    }

    #[test]
    fn a_last_line_that_lost_only_its_newline_is_whole() {
        let line = "{\"step\":1,\"epoch\":0,\"wall\":2.0,\"split\":\"a\",\"x\":1.0}";
        let (_folder, path) = file(line);
        assert_eq!(read(&path).unwrap().records.len(), 1);
        MetricsWriter::open(&path, Some(1)).unwrap().write(&record(2, 0.0)).unwrap();
        assert_eq!(read(&path).unwrap().records.len(), 2);
    }

    #[test]
    fn a_torn_last_line_is_noted_and_a_garbled_one_named() {
        let good = "{\"step\":1,\"epoch\":0,\"wall\":2.0,\"split\":\"a\",\"x\":1.0}\n";
        let (_folder, path) = file(&format!("{good}{good}{{\"step\":2,\"epo"));
        let metrics = read(&path).unwrap();
        assert_eq!(metrics.records.len(), 2);
        assert!(metrics.note.unwrap().contains("metrics.jsonl:3"));

        let (_folder, path) = file(&format!("{good}{{\"step\":2,\"epo\n{good}"));
        for error in [read(&path).unwrap_err(), MetricsWriter::open(&path, Some(5)).unwrap_err()] {
            assert!(error.to_string().contains("metrics.jsonl:2"), "{error}");
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn reserved_names_and_missing_folders_are_refused() {
        let (folder, path) = file("");
        let mut bad = record(1, 0.0);
        bad.values.insert("epoch".into(), 1.0);
        let error = MetricsWriter::open(&path, None).unwrap().write(&bad).unwrap_err();
        assert!(error.to_string().contains("`epoch`"));
        assert_eq!(content(&path), "");
        assert!(matches!(MetricsWriter::open(&path.join("inside"), None), Err(Error::Io { .. })));
        assert!(matches!(read(&folder.path().join("none")), Err(Error::Io { .. })));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error_with_the_path() {
        let path = PathBuf::from("/dev/full");
        let file = OpenOptions::new().append(true).open(&path).unwrap();
        let error = MetricsWriter { file, path, wall: 0.0 }.write(&record(1, 0.0)).unwrap_err();
        assert!(
            matches!(&error, Error::Io { path, source } if path.ends_with("full") && source.kind() == std::io::ErrorKind::StorageFull)
        );
    }
}
