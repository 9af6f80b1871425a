//! Download: fetches the files of a known set from its public mirrors, only when asked to.
//!
//! A file grows as `NAME.part` beside its place and is resumed from there by an HTTP range, after a cut connection or
//! in a later session. It is kept only if its content, packed or unpacked, has the catalogue's checksum. Where sets are
//! offered as archives, the archive must have its checksum; it is taken apart as by an import and not kept.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use flate2::read::MultiGzDecoder;

use super::catalogue::{self, KnownArchive, KnownFile, KnownSet, Pin};
use super::store::State;
use super::{Format, import, store};
use crate::{Error, Result};

/// Attempts at one address; each must add to what is already there.
const ATTEMPTS: usize = 8;
/// A mirror may send this much more than the unpacked size, for a file that does not compress.
const SLACK: u64 = 1 << 20;

/// Something that opens addresses.
pub trait Fetch {
    /// Opens `url` from byte `from` on.
    ///
    /// # Errors
    /// Why there is nothing to read, in a few words.
    fn open(&self, url: &str, from: u64) -> std::result::Result<Reply, String>;
}

/// An opened address.
pub struct Reply {
    /// Which byte the body begins with: the one asked for, or 0.
    pub start: u64,
    /// Size of the whole file, if known.
    pub total: Option<u64>,
    /// The bytes.
    pub body: Box<dyn Read>,
}

/// Fetches what is missing or damaged of the set called `name`; `dir` as for [`folder`](super::store::folder).
/// `progress` is told bytes done and bytes in all. Nothing is fetched for an embedded set.
///
/// # Errors
/// [`Error::Config`] for an unknown name, [`Error::DataMissing`] with what each mirror answered,
/// [`Error::Io`] if the folder cannot be written.
pub fn get(name: &str, dir: Option<&Path>, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
    let set = catalogue::find(name)?;
    if set.is_embedded() { Ok(()) } else { set.get(&store::folder(dir)?, &Http::new(), progress) }
}

impl KnownSet {
    /// As [`get`], for this set, into the data folder `root` and through `fetch`.
    ///
    /// # Errors
    /// As [`get`].
    pub fn get(&self, root: &Path, fetch: &dyn Fetch, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        if !self.is_offered() {
            let message = format!("no public mirror offers `{}`", self.name);
            return Err(Error::DataMissing { message, hint: self.ways_to_get() });
        }
        let (mut done, total) = (0, self.download());
        let whole = self.archives.is_empty() || self.files.iter().all(|file| self.is_whole(file, root));
        for archive in self.offered() {
            if !whole {
                let tick = &mut |n: u64| progress(done + n.min(archive.bytes), total);
                self.get_archive(archive, root, fetch, tick)?;
            }
            done += archive.bytes;
            progress(done, total);
        }
        for file in self.files.iter().filter(|file| file.download > 0) {
            if !self.is_whole(file, root) {
                self.get_file(file, root, fetch, &mut |n| progress(done + n.min(file.download), total))?;
            }
            done += file.download;
            progress(done, total);
        }
        Ok(())
    }

    fn is_whole(&self, file: &KnownFile, root: &Path) -> bool {
        let differs = File::open(self.path(file, root)).and_then(|content| file.pin.differs(content));
        differs.is_ok_and(|why| why.is_none()) && self.state(file, root) == State::Present
    }

    fn get_archive(
        &self,
        archive: &KnownArchive,
        root: &Path,
        fetch: &dyn Fetch,
        tick: &mut dyn FnMut(u64),
    ) -> Result<()> {
        let folder = root.join(self.name);
        let part = folder.join(format!("{}.part", archive.name));
        std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        let whole = |part: &Path| -> Attempt<()> {
            let differs = Pin::Sha256(archive.sha256).differs(File::open(part)?)?;
            differs.map_or(Ok(()), |why| Err(Trouble::Remote(format!("wrong content: {why}"))))
        };
        let urls = archive.urls.iter().map(|url| (*url).to_owned());
        self.try_each(
            archive.name,
            urls,
            |url| from_mirror(archive.bytes, url, &part, fetch, tick, whole),
            &part,
        )?;
        import::import_sets(std::slice::from_ref(self), &part, root)?;
        std::fs::remove_file(&part).map_err(|e| Error::io(part, e))
    }

    /// What the first address gives that has it.
    fn try_each<T>(
        &self,
        name: &str,
        urls: impl Iterator<Item = String>,
        mut get: impl FnMut(&str) -> Attempt<T>,
        part: &Path,
    ) -> Result<T> {
        let mut answers = Vec::new();
        for url in urls {
            log::debug!("{url} asked");
            match get(&url) {
                Ok(content) => return Ok(content),
                Err(Trouble::Remote(why)) => answers.push(format!("{url}: {why}")),
                Err(Trouble::Local(e)) => return Err(Error::io(part, e)),
            }
        }
        let message = format!("{name} of `{}` could not be fetched: {}", self.name, answers.join("; "));
        let hint = format!("check the network and try again, or {}", self.ways_to_get());
        Err(Error::DataMissing { message, hint })
    }

    fn get_file(
        &self,
        file: &KnownFile,
        root: &Path,
        fetch: &dyn Fetch,
        tick: &mut dyn FnMut(u64),
    ) -> Result<()> {
        let to = self.path(file, root);
        let part = to.with_file_name(format!("{}.part", file.name));
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        }
        // IDX files are offered packed.
        let ending = if self.format == Format::Idx { ".gz" } else { "" };
        let urls = self.mirrors.iter().map(|m| format!("{m}{}{ending}", file.name.trim_end_matches(".gz")));
        let finish = |part: &Path| unpack(file, &std::fs::read(part)?).map_err(Trouble::Remote);
        let get = |url: &str| from_mirror(file.bytes, url, &part, fetch, tick, finish);
        let content = self.try_each(file.name, urls, get, &part)?;
        store::write(&to, &content)?;
        std::fs::remove_file(&part).map_err(|e| Error::io(part, e))
    }
}

/// Why an attempt failed: the other side, or this machine.
enum Trouble {
    Remote(String),
    Local(std::io::Error),
}

impl From<std::io::Error> for Trouble {
    fn from(e: std::io::Error) -> Self {
        Self::Local(e)
    }
}

type Attempt<T> = std::result::Result<T, Trouble>;

/// What `finish` makes of a file of about `bytes` bytes from one address, as often as each attempt gets further.
fn from_mirror<T>(
    bytes: u64,
    url: &str,
    part: &Path,
    fetch: &dyn Fetch,
    tick: &mut dyn FnMut(u64),
    finish: impl Fn(&Path) -> Attempt<T>,
) -> Attempt<T> {
    let size = || std::fs::metadata(part).map_or(0, |m| m.len());
    let mut trouble = String::new();
    for _ in 0..ATTEMPTS {
        let before = size();
        match append(bytes, url, part, before, fetch, tick) {
            Ok(()) => match finish(part) {
                Ok(content) => return Ok(content),
                Err(Trouble::Local(e)) => return Err(Trouble::Local(e)),
                Err(Trouble::Remote(why)) => {
                    std::fs::remove_file(part)?;
                    trouble = why;
                    // What was there before may have been the damaged half: once more from the beginning.
                    if before == 0 {
                        break;
                    }
                }
            },
            Err(Trouble::Remote(why)) => {
                trouble = why;
                if size() <= before {
                    break;
                }
            }
            Err(local) => return Err(local),
        }
    }
    Err(Trouble::Remote(trouble))
}

/// Adds to `part` what follows its first `from` bytes, up to the end.
fn append(
    bytes: u64,
    url: &str,
    part: &Path,
    from: u64,
    fetch: &dyn Fetch,
    tick: &mut dyn FnMut(u64),
) -> Attempt<()> {
    let mut reply = fetch.open(url, from).map_err(Trouble::Remote)?;
    let mut out = OpenOptions::new().create(true).append(true).open(part)?;
    let mut at = reply.start;
    if at == 0 {
        out.set_len(0)?;
    } else if at != from {
        return Err(Trouble::Remote(format!("asked for byte {from}, sent byte {at}")));
    }
    let mut chunk = vec![0; 1 << 16];
    loop {
        let n = reply
            .body
            .read(&mut chunk)
            .map_err(|e| Trouble::Remote(format!("cut after {at} bytes ({e})")))?;
        if n == 0 {
            break;
        }
        out.write_all(&chunk[..n])?;
        at += n as u64;
        tick(at);
        if at > bytes + SLACK {
            return Err(Trouble::Remote(format!("sends more than the {bytes} bytes expected")));
        }
    }
    match reply.total {
        Some(total) if at < total => Err(Trouble::Remote(format!("cut after {at} of {total} bytes"))),
        _ => Ok(()),
    }
}

/// The downloaded bytes as they are to be kept: the catalogue pins either these or what they unpack to.
fn unpack(file: &KnownFile, bytes: &[u8]) -> std::result::Result<Vec<u8>, String> {
    let differs = |bytes: &[u8]| file.pin.differs(bytes).map_err(|e| e.to_string());
    let Some(packed) = differs(bytes)? else { return Ok(bytes.into()) };
    let mut content = Vec::new();
    // A damaged stream ends early; its checksum tells.
    MultiGzDecoder::new(bytes).take(file.bytes + 1).read_to_end(&mut content).ok();
    let why = if content.is_empty() { Some(packed) } else { differs(&content)? };
    why.map_or(Ok(content), |why| Err(format!("wrong content: {why}")))
}

/// [`Fetch`] over HTTP and HTTPS.
pub struct Http(ureq::Agent);

impl Http {
    /// A client that gives up connecting after 15 s and waiting for data after 30 s. Proxy settings of the
    /// environment are followed.
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_recv_response(Some(Duration::from_secs(30)))
            .timeout_per_read(Some(Duration::from_secs(30)))
            .http_status_as_error(false)
            .build();
        Self(config.into())
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl Fetch for Http {
    fn open(&self, url: &str, from: u64) -> std::result::Result<Reply, String> {
        let mut request = self.0.get(url);
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
        }
        if url.starts_with("http://127.0.0.1") {
            request = request.config().proxy(None).build();
        }
        let response = request.call().map_err(|e| e.to_string())?;
        let header = |name| response.headers().get(name).and_then(|v| v.to_str().ok());
        let (start, total) = match response.status().as_u16() {
            200 => (0, header("content-length").and_then(|v| v.parse().ok())),
            206 => header("content-range").and_then(range).ok_or("answers without a range")?,
            // Nothing beyond what is already here: whether that is the file, its checksum tells.
            416 if from > 0 => {
                return Ok(Reply { start: from, total: None, body: Box::new(std::io::empty()) });
            }
            status => return Err(format!("answers with status {status}")),
        };
        Ok(Reply { start, total, body: Box::new(response.into_body().into_reader()) })
    }
}

/// First byte and total size of `bytes FIRST-LAST/TOTAL`.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (span, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((span.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}
