//! Downloads against a server on the loopback interface: resume, repair, fall back, give up clearly.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};

use bouton::Result;
use bouton::task::catalogue::{Format, KnownArchive, KnownFile, KnownSet, Part, Pin};
use bouton::task::download::Http;
use bouton::task::idx::{self, Values};
use bouton::task::{Split, store};
use flate2::{Compression, write::GzEncoder};

/// What the server knows of a request: path, first byte asked for, how many came before.
type Asked<'a> = (&'a str, Option<usize>, usize);

/// A server that answers with the raw bytes that `answer` returns and then closes; logs `path@from`.
struct Server {
    url: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(answer: impl Fn(Asked<'_>) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = log.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(|l| l.ok());
                let request: Vec<String> = lines.take_while(|l| !l.is_empty()).collect();
                let path = request[0].split(' ').nth(1).unwrap().to_string();
                let from = request.iter().find_map(|l| {
                    l.to_lowercase().strip_prefix("range: bytes=")?.strip_suffix('-')?.parse().ok()
                });
                let before = seen.lock().unwrap().len();
                let entry = format!("{path}@{}", from.map_or("all".into(), |f: usize| f.to_string()));
                seen.lock().unwrap().push(entry);
                // A client may well hang up on an answer it does not like.
                let _ = stream.write_all(&answer((&path, from, before)));
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
        Self { url, log }
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n").as_bytes(), body].concat()
}

/// What a proper server answers.
fn serve(content: &[u8], from: Option<usize>) -> Vec<u8> {
    let n = content.len();
    match from {
        None => reply("200 OK", &format!("Content-Length: {n}\r\n"), content),
        Some(from) if from >= n => reply(
            "416 Range Not Satisfiable",
            &format!("Content-Range: bytes */{n}\r\nContent-Length: 0\r\n"),
            b"",
        ),
        Some(from) => {
            let headers =
                format!("Content-Range: bytes {from}-{}/{n}\r\nContent-Length: {}\r\n", n - 1, n - from);
            reply("206 Partial Content", &headers, &content[from..])
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn images() -> Vec<u8> {
    idx::encode(
        &[100, 8, 8],
        &Values::Bytes((0_u32..6400).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()),
    )
}

fn labels() -> Vec<u8> {
    idx::encode(&[100], &Values::Bytes((0..100).map(|i| i % 3).collect()))
}

/// Images pinned unpacked, labels pinned as gzip, both fetched as gzip.
fn set(mirrors: &[&str]) -> &'static KnownSet {
    let file = |name, part, content: &[u8], download: usize| {
        let pin = Pin::Sha256(sha256(content).leak());
        KnownFile { name, part, bytes: content.len() as u64, pin, download: download as u64, embedded: None }
    };
    let (a, b) = (images(), gzip(&labels()));
    let files = vec![
        file("images", Part::Images(Split::Train), &a, gzip(&a).len()),
        file("labels.gz", Part::Labels(Split::Train), &b, b.len()),
    ];
    let mirrors = mirrors.iter().map(|m| &*m.to_string().leak()).collect::<Vec<&'static str>>();
    Box::leak(Box::new(KnownSet {
        names: &[],
        name: "toy",
        about: "for tests",
        title: "for tests",
        shape: [1, 8, 8],
        classes: 3,
        train: 100,
        test: 0,
        licence: "none",
        bibtex: "@misc{}",
        format: Format::Idx,
        mirrors: mirrors.leak(),
        files: files.leak(),
        archives: &[],
    }))
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn content(path: &str) -> Vec<u8> {
    gzip(&if path == "/images.gz" { images() } else { labels() })
}

fn good() -> Server {
    Server::new(|(path, from, _)| serve(&content(path), from))
}

fn get(mirrors: &[&str], root: &Path) -> Result<()> {
    let set = set(mirrors);
    set.get(root, &Http::new(), &mut |done, total| assert!(done <= total))?;
    set.verify(root)?;
    assert_eq!(set.load(Split::Train, root)?.len(), 100);
    let left: Vec<_> = std::fs::read_dir(root.join("toy")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    Ok(())
}

/// The message of a failure, after checking that nothing but unfinished parts is left.
fn fails(mirrors: &[&str], root: &Path) -> String {
    let e = get(mirrors, root).expect_err("must fail");
    assert_eq!(e.exit_code(), 3);
    assert!(!root.join("toy/images").exists());
    assert!(e.hint().unwrap().contains("bouton data import PATH"));
    e.to_string()
}

fn with_part(bytes: &[u8]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("toy")).unwrap();
    std::fs::write(root.path().join("toy/images.part"), bytes).unwrap();
    root
}

#[test]
fn fetches_once_and_reports_progress() {
    let (server, root) = (good(), tempfile::tempdir().unwrap());
    let set = set(&[&server.url]);
    let mut seen = Vec::new();
    set.get(root.path(), &Http::new(), &mut |done, total| seen.push((done, total))).unwrap();
    assert!(seen.is_sorted() && seen.last() == Some(&(set.download(), set.download())), "{seen:?}");
    assert_eq!(server.log(), ["/images.gz@all", "/labels.gz@all"]);
    get(&[&server.url], root.path()).unwrap();
    assert_eq!(server.log().len(), 2, "what is whole is not fetched again");
    std::fs::write(root.path().join("toy/images"), vec![0; images().len()]).unwrap();
    get(&[&server.url], root.path()).unwrap();
    assert_eq!(server.log()[2..], ["/images.gz@all"], "what is damaged is");
}

#[test]
fn goes_on_from_a_part() {
    let server = good();
    let root = with_part(&content("/images.gz")[..1000]);
    get(&[&server.url], root.path()).unwrap();
    assert_eq!(server.log()[0], "/images.gz@1000");
    let root = with_part(&content("/images.gz"));
    get(&[&server.url], root.path()).unwrap();
    assert_eq!(server.log()[2], format!("/images.gz@{}", content("/images.gz").len()));
    assert_eq!(server.log().len(), 4, "a complete part is not fetched again: {:?}", server.log());
}

#[test]
fn begins_again_where_ranges_are_ignored() {
    let server = Server::new(|(path, _, _)| serve(&content(path), None));
    get(&[&server.url], with_part(b"half").path()).unwrap();
    assert_eq!(server.log()[0], "/images.gz@4");
}

#[test]
fn begins_again_after_a_part_of_something_else() {
    let server = good();
    get(&[&server.url], with_part(b"something else").path()).unwrap();
    assert_eq!(server.log()[..2], ["/images.gz@14", "/images.gz@all"]);
    let server = good();
    get(&[&server.url], with_part(&[7; 20_000]).path()).unwrap();
    assert_eq!(server.log()[..2], ["/images.gz@20000", "/images.gz@all"]);
}

#[test]
fn a_cut_connection_is_resumed() {
    // The first two answers end in the middle of what is left.
    let server = Server::new(|(path, from, before)| {
        let mut answer = serve(&content(path), from);
        let left = content(path).len() - from.unwrap_or(0);
        answer.truncate(answer.len() - if before < 2 { left / 2 } else { 0 });
        answer
    });
    let root = tempfile::tempdir().unwrap();
    get(&[&server.url], root.path()).unwrap();
    let n = content("/images.gz").len();
    let first = n - n / 2;
    let second = n - (n - first) / 2;
    let expected =
        ["all".into(), first.to_string(), second.to_string()].map(|from| format!("/images.gz@{from}"));
    assert_eq!(server.log()[..3], expected);
}

#[test]
fn a_part_survives_a_mirror_that_dies() {
    let server = Server::new(|(path, _, before)| {
        let mut answer = serve(&content(path), None);
        answer.truncate(if before == 0 { answer.len() - 500 } else { 0 });
        answer
    });
    let root = tempfile::tempdir().unwrap();
    let text = fails(&[&server.url], root.path());
    assert!(text.contains("images of `toy`") && text.contains(&server.url), "{text}");
    let part = std::fs::metadata(root.path().join("toy/images.part")).unwrap().len();
    assert_eq!(part as usize, content("/images.gz").len() - 500);
    let whole = good();
    get(&[&whole.url], root.path()).unwrap();
    assert_eq!(whole.log()[0], format!("/images.gz@{part}"));
}

#[test]
fn the_next_mirror_is_asked() {
    let (absent, server) = (Server::new(|_| reply("404 Not Found", "Content-Length: 0\r\n", b"")), good());
    let root = tempfile::tempdir().unwrap();
    get(&[&absent.url, &server.url], root.path()).unwrap();
    assert_eq!(absent.log(), ["/images.gz@all", "/labels.gz@all"]);
    let text = fails(&[&absent.url], tempfile::tempdir().unwrap().path());
    assert!(text.contains("status 404"), "{text}");
}

#[test]
fn wrong_content_is_not_kept() {
    let server = Server::new(|_| serve(&gzip(b"a page that says sorry"), None));
    let root = tempfile::tempdir().unwrap();
    let text = fails(&[&server.url], root.path());
    let sums = [sha256(b"a page that says sorry"), sha256(&images())];
    assert!(sums.iter().all(|sum| text.contains(sum)), "{text}");
    assert!(!root.path().join("toy/images.part").exists());
    assert_eq!(server.log().len(), 1);
    let html = Server::new(|_| reply("200 OK", "Content-Length: 6\r\n", b"<html>"));
    assert!(fails(&[&html.url], root.path()).contains(&sha256(b"<html>")));
    get(&[&server.url, &good().url], root.path()).unwrap();
}

#[test]
fn wrong_ranges_and_endless_answers_are_refused() {
    let shifted = Server::new(|_| {
        reply("206 Partial Content", "Content-Range: bytes 3-8/9\r\nContent-Length: 6\r\n", b"abcdef")
    });
    let text = fails(&[&shifted.url], with_part(b"half").path());
    assert!(text.contains("asked for byte 4, sent byte 3"), "{text}");
    let endless = Server::new(|_| reply("200 OK", "", &vec![1; 3 << 20]));
    let text = fails(&[&endless.url], tempfile::tempdir().unwrap().path());
    assert!(text.contains("more than the 6416 bytes"), "{text}");
}

#[test]
fn without_a_network_it_says_so() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = fails(&[&format!("http://{closed}/")], tempfile::tempdir().unwrap().path());
    assert!(text.contains("could not be fetched") && text.contains("refused"), "{text}");
    store::status("mnist", Some(Path::new("/nowhere"))).unwrap();
}

/// The toy set as a set of archives: one at `url`, pinned by `sha256`, that holds both files.
fn archived(url: &str, bytes: u64, sha256: String) -> &'static KnownSet {
    let KnownSet { name, about, title, shape, classes, train, test, licence, bibtex, format, .. } = *set(&[]);
    let file = |f: &'static KnownFile| KnownFile { download: 0, ..*f };
    let files: Vec<_> = set(&[]).files.iter().map(file).collect();
    let urls = vec![&*format!("{url}toy.tgz").leak()];
    let archive =
        KnownArchive { name: "toy.tgz", bytes, sha256: sha256.leak(), urls: urls.leak(), jpegs: None };
    Box::leak(Box::new(KnownSet {
        names: &[],
        name,
        about,
        title,
        shape,
        classes,
        train,
        test,
        licence,
        bibtex,
        format,
        mirrors: &[],
        files: files.leak(),
        archives: vec![archive].leak(),
    }))
}

fn tgz() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in [("a/images", images()), ("a/labels.gz", gzip(&labels()))] {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, &content[..]).unwrap();
    }
    gzip(&builder.into_inner().unwrap())
}

#[test]
fn an_archive_is_fetched_checked_and_taken_apart() {
    // The first answer ends in the middle.
    let server = Server::new(|(_, from, before)| {
        let mut answer = serve(&tgz(), from);
        answer.truncate(answer.len() - if before == 0 { 500 } else { 0 });
        answer
    });
    let (root, n) = (tempfile::tempdir().unwrap(), tgz().len());
    let set = archived(&server.url, n as u64, sha256(&tgz()));
    let mut seen = Vec::new();
    set.get(root.path(), &Http::new(), &mut |done, total| seen.push((done, total))).unwrap();
    assert!(seen.is_sorted() && seen.last() == Some(&(n as u64, n as u64)), "{seen:?}");
    assert_eq!(server.log(), ["/toy.tgz@all".to_string(), format!("/toy.tgz@{}", n - 500)]);
    set.verify(root.path()).unwrap();
    assert_eq!(std::fs::read_dir(root.path().join("toy")).unwrap().count(), 2, "no part is left");
    set.get(root.path(), &Http::new(), &mut |_, _| {}).unwrap();
    assert_eq!(server.log().len(), 2, "what is whole is not fetched again");
}

#[test]
fn an_archive_of_another_content_is_not_taken_apart() {
    let server = Server::new(|_| serve(&tgz(), None));
    let root = tempfile::tempdir().unwrap();
    let set = archived(&server.url, tgz().len() as u64, sha256(b"another"));
    let e = set.get(root.path(), &Http::new(), &mut |_, _| {}).unwrap_err();
    assert_eq!(e.exit_code(), 3);
    for part in ["toy.tgz of `toy`", &sha256(b"another"), &sha256(&tgz())] {
        assert!(e.to_string().contains(part), "{e}");
    }
    assert_eq!(std::fs::read_dir(root.path().join("toy")).unwrap().count(), 0);
}
