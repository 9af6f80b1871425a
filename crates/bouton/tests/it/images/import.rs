//! How archives of colour images are taken in.

use super::*;
use bouton::task::catalogue::{self, Format, KnownArchive, KnownFile, KnownSet, Pin};
use bouton::task::import::{Import, import_sets};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::Path;

/// Two training batches and a test batch in the CIFAR-10 layout, known by name alone; and an archive of images.
fn toy(records: [usize; 3], archives: Vec<KnownArchive>) -> &'static KnownSet {
    let file = |name, split, n: usize| KnownFile {
        name,
        part: Part::Samples(split),
        bytes: (n * (1 + PIXELS)) as u64,
        pin: Pin::Layout,
        download: 0,
        embedded: None,
    };
    let files = vec![
        file("data_batch_1.bin", Split::Train, records[0]),
        file("data_batch_2.bin", Split::Train, records[1]),
        file("test_batch.bin", Split::Test, records[2]),
    ];
    Box::leak(Box::new(KnownSet {
        names: &[],
        about: "for tests",
        name: "toy",
        title: "for tests",
        shape: [3, 32, 32],
        classes: 10,
        train: records[0] + records[1],
        test: records[2],
        licence: "none",
        bibtex: "@misc{}",
        format: Format::Samples(Layout::Cifar10),
        mirrors: &[],
        files: files.leak(),
        archives: archives.leak(),
    }))
}

/// Records with these labels; every image has another pattern.
fn batch(labels: &[u8]) -> Vec<u8> {
    let images = planes(labels.len(), 32);
    labels.iter().zip(images.chunks_exact(PIXELS)).flat_map(|(&l, i)| [&[l][..], i].concat()).collect()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn tgz(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(&tar(members)).unwrap();
    gz.finish().unwrap()
}

fn txz(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0)).unwrap();
    xz.write_all(&tar(members)).unwrap();
    xz.finish().unwrap()
}

fn import(set: &'static KnownSet, name: &str, bytes: &[u8], root: &Path) -> Result<Import> {
    let from = tempfile::tempdir().unwrap();
    std::fs::write(from.path().join(name), bytes).unwrap();
    import_sets(std::slice::from_ref(set), &from.path().join(name), root)
}

fn stored(root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(root.join("toy")).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_cifar_archive_is_taken_apart() {
    let (root, set) = (tempfile::tempdir().unwrap(), toy([2, 1, 1], vec![]));
    let [one, two, test] = [batch(&[3, 9]), batch(&[0]), batch(&[5])];
    let members: [(&str, &[u8]); 4] = [
        ("cifar-10-batches-bin/test_batch.bin", &test),
        ("cifar-10-batches-bin/readme.html", b"<html>"),
        ("cifar-10-batches-bin/data_batch_2.bin", &two),
        ("cifar-10-batches-bin/data_batch_1.bin", &one),
    ];
    let found = import(set, "any-name.tgz", &tgz(&members), root.path()).unwrap();
    assert_eq!(found.files.len(), 3, "{found:?}");
    let train = set.load(Split::Train, root.path()).unwrap();
    assert_eq!((train.labels(), train.shape()), (&[3, 9, 0][..], [3, 32, 32]));
    assert!(train.image(1) == &planes(2, 32)[PIXELS..] && train.image(2) == planes(1, 32));
    assert_eq!(set.load(Split::Test, root.path()).unwrap().labels(), [5]);
    set.verify(root.path()).unwrap();
    // What is damaged after the import is found where the layout tells.
    let mut changed = one.clone();
    changed[1 + PIXELS] = 10;
    std::fs::write(root.path().join("toy/data_batch_1.bin"), &changed).unwrap();
    contains(&said(set.verify(root.path())), &["data_batch_1.bin: record 1: label 10, expected below 10"]);
    std::fs::write(root.path().join("toy/data_batch_1.bin"), &one[1..]).unwrap();
    contains(&said(set.load(Split::Train, root.path())), &["6145 bytes, expected 6146"]);
}

#[test]
fn a_short_record_in_an_archive_is_refused_and_nothing_is_half_written() {
    let set = toy([2, 1, 1], vec![]);
    let (one, two) = (batch(&[3, 9]), batch(&[0]));
    let short = &one[..one.len() - 1];
    let refuse = |members: &[(&str, &[u8])], says: &[&str], left: &[&str]| {
        let root = tempfile::tempdir().unwrap();
        contains(&said(import(set, "c.tgz", &tgz(members), root.path())), says);
        assert_eq!(stored(root.path()), left);
    };
    let says = ["c.tgz: a/data_batch_1.bin: 6145 bytes, expected 6146", "fetch it again"];
    refuse(&[("a/data_batch_1.bin", short)], &says, &[]);
    let members = [("data_batch_2.bin", &two[..]), ("a/data_batch_1.bin", short)];
    refuse(&members, &says, &["data_batch_2.bin"]);
    let mut label = one.clone();
    label[1 + PIXELS] = 77;
    let says = ["c.tgz: data_batch_1.bin: record 1: label 77, expected below 10"];
    refuse(&[("data_batch_1.bin", &label)], &says, &[]);
    let (root, whole) = (tempfile::tempdir().unwrap(), tgz(&[("data_batch_1.bin", &one)]));
    let text = said(import(set, "cut.tgz", &whole[..whole.len() / 2], root.path()));
    contains(&text, &["cut.tgz", "unpacked"]);
    assert_eq!(stored(root.path()), Vec::<String>::new());
}

#[test]
fn a_folder_with_a_short_file_says_so_and_keeps_the_rest() {
    let (from, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let set = toy([2, 1, 1], vec![]);
    std::fs::write(from.path().join("data_batch_1.bin"), &batch(&[3, 9])[..700]).unwrap();
    std::fs::write(from.path().join("data_batch_2.bin"), batch(&[4])).unwrap();
    let found = import_sets(std::slice::from_ref(set), from.path(), root.path()).unwrap();
    assert_eq!(found.files.len(), 1);
    contains(&found.damaged[0], &["data_batch_1.bin: 700 bytes, expected 6146"]);
    assert_eq!(stored(root.path()), ["data_batch_2.bin"]);
    let e = set.load(Split::Train, root.path()).unwrap_err();
    assert_eq!((e.exit_code(), e.to_string().contains("missing: data_batch_1.bin")), (3, true), "{e}");
}

#[test]
fn npz_files_are_known_by_name_and_layout() {
    let file = KnownFile {
        name: "val_data.npz",
        part: Part::Samples(Split::Train),
        bytes: 0,
        pin: Pin::Layout,
        download: 0,
        embedded: None,
    };
    let set: &'static KnownSet = Box::leak(Box::new(KnownSet {
        classes: 1000,
        train: 2,
        format: Format::Samples(Layout::ImageNet32),
        files: vec![file].leak(),
        archives: &[],
        ..catalogue_entry("imagenet32")
    }));
    let npz = npz(&[7, 1000]);
    let archive = zip(&[("Imagenet32_val_npz/val_data.npz", &npz)], zip::CompressionMethod::Deflated);
    for (name, bytes) in [("val_data.npz", &npz), ("any.zip", &archive)] {
        let root = tempfile::tempdir().unwrap();
        import(set, name, bytes, root.path()).unwrap();
        assert_eq!(set.load(Split::Train, root.path()).unwrap().labels(), [6, 999]);
    }
    let root = tempfile::tempdir().unwrap();
    contains(
        &said(import(set, "val_data.npz", &npz[..900], root.path())),
        &["val_data.npz", "no NumPy archive"],
    );
    contains(&said(import(set, "other.npz", &npz, root.path())), &["no file of a known data set"]);
    assert!(!root.path().join("imagenet32").exists());
    let fewer: &'static KnownSet = Box::leak(Box::new(KnownSet { train: 3, ..catalogue_entry_of(set) }));
    import(fewer, "val_data.npz", &npz, root.path()).unwrap();
    contains(&said(fewer.load(Split::Train, root.path())), &["2 train samples, expected 3"]);
}

fn catalogue_entry(name: &str) -> KnownSet {
    catalogue_entry_of(catalogue::find(name).unwrap())
}

fn catalogue_entry_of(set: &'static KnownSet) -> KnownSet {
    KnownSet { ..*set }
}

// ---- images as JPEG

/// A set whose archive has exactly these members.
fn with_archive(members: &[(&str, &[u8])]) -> (&'static KnownSet, Vec<u8>) {
    use sha2::Digest;
    let bytes = txz(members);
    let sha256: String = sha2::Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    let archive = KnownArchive {
        name: "toy.tar.xz",
        bytes: bytes.len() as u64,
        sha256: sha256.leak(),
        urls: &[],
        jpegs: Some("test_batch.bin"),
    };
    (toy([2, 1, 2], vec![archive]), bytes)
}

#[test]
fn an_archive_of_jpegs_becomes_records_in_the_order_of_the_numbers() {
    let (set, bytes) = with_archive(&[("test/00001_3.jpg", JPEG), ("test/00000_8.jpg", JPEG)]);
    let root = tempfile::tempdir().unwrap();
    let found = import(set, "renamed", &bytes, root.path()).unwrap();
    assert_eq!((found.files.len(), found.files[0].file), (1, "test_batch.bin"));
    let test = set.load(Split::Test, root.path()).unwrap();
    assert_eq!(test.labels(), [8, 3]);
    // Four coloured quadrants: the middle of each in red, green and blue.
    let colour = |row: usize, column: usize| [0, 1, 2].map(|c| test.image(1)[(c * 32 + row) * 32 + column]);
    let quadrants = [
        ((4, 4), [200, 40, 30]),
        ((4, 27), [40, 180, 60]),
        ((27, 4), [30, 60, 210]),
        ((27, 27), [230, 220, 90]),
    ];
    for ((row, column), expected) in quadrants {
        let near = colour(row, column).iter().zip(expected).all(|(&a, b): (&u8, u8)| a.abs_diff(b) <= 3);
        assert!(near, "{row},{column}: {:?}, expected about {expected:?}", colour(row, column));
    }
    // Another archive is not the known one, whatever its members are called.
    let (_, other) = with_archive(&[("test/00000_3.jpg", JPEG)]);
    contains(&said(import(set, "toy.tar.xz", &other, root.path())), &["no file of a known data set"]);
}

#[test]
fn jpeg_archives_that_are_not_whole_are_refused() {
    let refuse = |members: &[(&str, &[u8])], says: &[&str]| {
        let (set, bytes) = with_archive(members);
        let root = tempfile::tempdir().unwrap();
        contains(&said(import(set, "a.tar.xz", &bytes, root.path())), &["a.tar.xz: cannot be converted"]);
        contains(&said(import(set, "a.tar.xz", &bytes, root.path())), says);
        assert_eq!(stored(root.path()), Vec::<String>::new());
    };
    refuse(&[("0_1.jpg", JPEG), ("2_1.jpg", JPEG)], &["image 1 is missing"]);
    refuse(&[("0_1.jpg", JPEG), ("00_2.jpg", JPEG)], &["00_2.jpg: image 0 is there twice"]);
    refuse(&[("0_1.jpg", JPEG)], &["3073 bytes, expected 6146"]);
    refuse(&[("0_10.jpg", JPEG)], &["0_10.jpg: expected a name such as"]);
    refuse(&[("readme", JPEG)], &["readme: expected a name"]);
    refuse(&[("0_1.jpg", b"no image")], &["0_1.jpg: no readable JPEG"]);
    refuse(&[("0_1.jpg", &JPEG[..300])], &["0_1.jpg: no readable JPEG"]);
}
