//! What `bouton data import` is given: data files and archives of them, nested.

use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::LazyLock;

use bouton::Result;
use bouton::task::Split;
use bouton::task::catalogue::{Format, KnownArchive, KnownFile, KnownSet, Part, Pin};
use bouton::task::import::recognise;
use bouton::task::layout::Layout;

use super::images::{JPEG, gzip, idx_files};
use super::run::Reader;
use crate::common::{known_file, known_set, sha256};

pub fn readers() -> Vec<Reader> {
    let tokens =
        &["ustar\0", "PK\x03\x04", "PK\x05\x06", "!<arch>\n", "`\n", "\x1f\u{8b}", "train_y.bin", "L", "x"];
    vec![Reader { name: "import", short: 1500, seeds, tokens, read: import }]
}

pub fn zip(members: &[(&str, Vec<u8>)], method: zip::CompressionMethod) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0)).unwrap();
    xz.write_all(bytes).unwrap();
    xz.finish().unwrap()
}

fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, content) in members {
        out.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, content.len()).bytes());
        out.extend(*content);
        out.resize(out.len().next_multiple_of(2), b'\n');
    }
    out
}

/// Labels of a set without checksums, which are known by name and layout.
const LABELS: &[u8] = &[1, 10, 3];

fn images() -> Vec<u8> {
    idx_files().remove(2)
}

fn jpegs() -> Vec<u8> {
    xz(&tar(&[("test/0_3.jpg", JPEG)]))
}

static SETS: LazyLock<[KnownSet; 3]> = LazyLock::new(|| {
    let packed = gzip(b"packed bytes are known as well");
    let files = vec![
        known_file("images", Part::Images(Split::Train), &images()),
        known_file("labels.gz", Part::Labels(Split::Train), &packed),
    ];
    let by_layout =
        |name, part| KnownFile { name, part, bytes: 0, pin: Pin::Layout, download: 0, embedded: None };
    let colour = known_set(
        "colour",
        [3, 96, 96],
        10,
        [3, 1],
        vec![by_layout("train_y.bin", Part::Labels(Split::Train))],
    );
    let archive = KnownArchive {
        name: "images.tar.xz",
        bytes: jpegs().len() as u64,
        sha256: sha256(&jpegs()).leak(),
        urls: &[],
        jpegs: Some("test.bin"),
    };
    let photos =
        known_set("photos", [3, 32, 32], 10, [1, 1], vec![by_layout("test.bin", Part::Samples(Split::Test))]);
    [
        known_set("grey", [1, 2, 4], 3, [3, 3], files),
        KnownSet { format: Format::Samples(Layout::Stl10), ..colour },
        KnownSet { format: Format::Samples(Layout::Cifar10), archives: vec![archive].leak(), ..photos },
    ]
});

fn seeds() -> Vec<Vec<u8>> {
    let (images, packed) = (images(), gzip(b"packed bytes are known as well"));
    let members: [(&str, &[u8]); 3] =
        [("a/images", &images), ("a/train_y.bin", LABELS), ("readme", b"hello")];
    let tar = tar(&members);
    let owned = members.map(|(name, content)| (name, content.to_vec()));
    vec![
        images.clone(),
        packed,
        gzip(&tar),
        xz(&tar),
        zip(&owned, zip::CompressionMethod::Stored),
        zip(&owned, zip::CompressionMethod::Deflated),
        ar(&[("debian-binary", b"2.0\n"), ("data.tar.xz", &xz(&tar)), ("images", &images)]),
        ar(&[("data.tar.gz", &gzip(&tar))]),
        gzip(&gzip(&gzip(&images))),
        jpegs(),
        tar,
    ]
}

fn import(bytes: &[u8]) -> Result<()> {
    let mut kept = 0;
    let found = recognise(&*SETS, Cursor::new(bytes), Path::new("some.bin"), &mut |set, file, bytes| {
        kept += 1;
        assert!(file.fits(bytes.len() as u64));
        Ok(set.path(file, Path::new("data")))
    })?;
    assert!(!found.files.is_empty() && found.files.len() <= kept && found.damaged.is_empty());
    Ok(())
}
