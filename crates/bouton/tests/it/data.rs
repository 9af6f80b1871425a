//! Data sets: what is embedded, what damaged files are answered with, where known files are found and kept.

use std::io::{Cursor, Write};
use std::path::Path;

use crate::common::{known_file, known_set, sha256};
use bouton::task::catalogue::{self, DATA, KnownSet, Part};
use bouton::task::idx::{self, Idx, Values};
use bouton::task::import::{Import, import_sets};
use bouton::task::store::{self, State};
use bouton::task::{Dataset, Split, digits};
use bouton::{Error, Result};
use flate2::{Compression, write::GzEncoder};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn decode(bytes: &[u8]) -> Result<Idx> {
    idx::decode(Cursor::new(bytes), "some/file")
}

/// The message and hint of a refusal that must be of the `Data` kind.
#[track_caller]
fn refusal<T: std::fmt::Debug>(result: Result<T>, exit_code: u8) -> String {
    let e = result.expect_err("must be refused");
    assert_eq!(e.exit_code(), exit_code, "{e}");
    format!("{e} | {}", e.hint().expect("a hint"))
}

#[track_caller]
fn contains(text: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(text.contains(part), "`{part}` is not in: {text}"));
}

// ---- what is embedded

#[test]
fn fashion_mini_is_the_balanced_part_it_says() {
    let train = store::load("fashion-mini", Split::Train, None).unwrap();
    let test = store::load("fashion-mini", Split::Test, None).unwrap();
    assert_eq!((train.shape(), train.classes(), train.scale()), ([1, 28, 28], 10, 255.0));
    assert_eq!((train.len(), train.class_counts()), (3000, vec![300; 10]));
    assert_eq!((test.len(), test.class_counts()), (1000, vec![100; 10]));
    // The first labels of Fashion-MNIST, of which this is a part in file order.
    assert_eq!(train.labels()[..10], [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]);
    store::verify("fashion-mini", None).unwrap();
}

#[test]
fn digits_are_split_at_line_1500() {
    let train = store::load("digits", Split::Train, None).unwrap();
    let test = store::load("digits", Split::Test, None).unwrap();
    assert_eq!((train.len(), test.len(), train.shape(), train.scale()), (1500, 297, [1, 8, 8], 16.0));
    let counts: Vec<_> = train.class_counts().iter().zip(test.class_counts()).map(|(a, b)| a + b).collect();
    assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    let sum = |set: &Dataset| set.pixels().iter().map(|&p| f64::from(p)).sum::<f64>();
    let mean = (sum(&train) + sum(&test)) / (1797.0 * 64.0);
    assert!((mean - 4.8842).abs() < 5e-5, "{mean}");
    assert_eq!(train.image(0)[..8], [0, 0, 5, 13, 9, 1, 0, 0]);
    store::verify("digits", None).unwrap();
}

#[test]
fn notices_and_citations_are_kept() {
    contains(
        bouton::task::embedded::FASHION_NOTICE,
        &["Copyright (c) 2017 Zalando SE", "Permission is hereby"],
    );
    contains(bouton::task::embedded::DIGITS_NOTICE, &["CC BY 4.0", "Alpaydin", "Kaynak"]);
    assert!(DATA.iter().all(|set| set.bibtex.starts_with('@') && !set.licence.is_empty()));
    contains(&refusal(catalogue::find("fashionmnist"), 2), &["fashionmnist", "`fashion-mnist`?", "kmnist"]);
}

// ---- Dataset

#[test]
fn parts_that_do_not_fit_are_refused() {
    let make = |classes, pixels: usize, labels: &[u16]| {
        Dataset::new("toy", [1, 2, 2], classes, vec![1; pixels], 255.0, labels.to_vec())
    };
    let said = |result: Result<Dataset>| result.unwrap_err().to_string();
    assert_eq!(make(2, 8, &[0, 1]).unwrap().class_counts(), [1, 1]);
    contains(&said(make(2, 8, &[0, 1, 1])), &["toy", "2 images", "3 labels"]);
    contains(&said(make(2, 8, &[0, 2])), &["label 2", "sample 1", "below 2"]);
    contains(&said(make(2, 7, &[0, 1])), &["7 pixels", "1x2x2"]);
    contains(&said(make(2, 0, &[])), &["no images"]);
    contains(&said(make(0, 4, &[0])), &["0 classes"]);
    let bright = Dataset::new("toy", [1, 1, 2], 2, vec![0, 16, 17, 0], 16.0, vec![0, 1]);
    contains(&said(bright), &["17", "sample 1", "16"]);
}

#[test]
fn take_keeps_the_first_and_refuses_more_than_there_are() {
    let set = Dataset::synthetic([1, 2, 3], 3, 7, 1).unwrap();
    let some = set.clone().take(4).unwrap();
    assert_eq!((some.len(), some.labels(), some.pixels()), (4, &set.labels()[..4], &set.pixels()[..24]));
    contains(&refusal(set.clone().take(8), 2), &["8 samples", "1 to 7"]);
    contains(&refusal(set.take(0), 2), &["0 samples"]);
}

#[test]
fn synthetic_classes_can_be_learned_from_another_seed() {
    let train = Dataset::synthetic([1, 5, 5], 4, 40, 1).unwrap();
    let test = Dataset::synthetic([1, 5, 5], 4, 40, 2).unwrap();
    assert_eq!(train, Dataset::synthetic([1, 5, 5], 4, 40, 1).unwrap());
    assert_ne!(train.pixels(), test.pixels());
    assert_eq!(train.class_counts(), [10; 4]);
    let far = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>();
    for i in 0..40 {
        let nearest = (0..40).min_by_key(|&j| far(&test.image(i), &train.image(j))).unwrap();
        assert_eq!(train.label(nearest), test.label(i));
    }
    let none = Dataset::synthetic([1, 5, 5], 0, 4, 1).unwrap_err();
    contains(&none.to_string(), &["0 classes"]);
}

// ---- IDX

#[test]
fn idx_is_read_plain_and_packed() {
    let plain = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 250, 5, 6];
    let read = decode(&plain).unwrap();
    assert_eq!((&read.dims[..], &read.values), (&[2, 1, 3][..], &Values::Bytes(vec![1, 2, 3, 250, 5, 6])));
    assert_eq!(decode(&gzip(&plain)).unwrap(), read);
    assert_eq!(idx::encode(&read.dims, &read.values), plain);
    let floats = Values::Floats(vec![0.25, -1.5]);
    assert_eq!(decode(&idx::encode(&[2], &floats)).unwrap().values, floats);
    assert_eq!(
        idx::encode(&[1], &Values::Floats(vec![1.0]))[..],
        [0, 0, 0xd, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0]
    );
}

#[test]
fn damaged_idx_is_refused_with_numbers() {
    let whole = idx::encode(&[2, 1, 3], &Values::Bytes(vec![7; 6]));
    let refused = |bytes: &[u8], parts: &[&str]| {
        let text = refusal(decode(bytes), 2);
        contains(&text, &["some/file", "fetch or import it again"]);
        contains(&text, parts);
    };
    refused(&[], &["truncated", "byte 4", "ends at 0"]);
    refused(&whole[..2], &["truncated", "ends at 2"]);
    refused(&whole[..9], &["truncated", "dimensions", "byte 16", "ends at 9"]);
    refused(&whole[..20], &["truncated", "values", "byte 22", "ends at 20"]);
    refused(&[&whole[..], &[0]].concat(), &["trailing", "22 bytes"]);
    refused(b"<html>not found</html>", &["0x3c68746d", "0x00000803"]);
    refused(&[0, 0, 9, 1, 0, 0, 0, 1, 7], &["0x00000901"]);
    refused(&[0, 0, 8, 0], &["0x00000800"]);
    refused(&[&[0, 0, 8, 3][..], &[255; 12]].concat(), &["4294967295", "4 GiB"]);
}

#[test]
fn damaged_gzip_is_refused_at_every_length_and_bit() {
    let plain = idx::encode(&[40, 5, 5], &Values::Bytes((0..1000).map(|i| (i * i % 251) as u8).collect()));
    let packed = gzip(&plain);
    for cut in 2..packed.len() {
        contains(&refusal(decode(&packed[..cut]), 2), &["some/file"]);
    }
    contains(&refusal(decode(&packed[..packed.len() / 2]), 2), &["damaged gzip", "after"]);
    let mut garbled = packed.clone();
    let last = garbled.len() - 6;
    garbled[last] ^= 1;
    contains(&refusal(decode(&garbled), 2), &["damaged gzip", "1016"]);
    contains(&refusal(decode(&[&packed[..], b"more"].concat()), 2), &["damaged gzip"]);
    contains(&refusal(decode(&gzip(&plain[..900])), 2), &["truncated", "byte 1016", "ends at 900"]);
}

#[test]
fn floats_must_be_finite_and_images_within_one() {
    for (bad, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let mut values = vec![0.5; 12];
        values[9] = bad;
        let text = refusal(decode(&idx::encode(&[3, 2, 2], &Values::Floats(values))), 2);
        contains(&text, &["some/file", name, "place 1 of sample 2"]);
    }
    let images = |v: f32| decode(&idx::encode(&[2, 1, 2], &Values::Floats(vec![0.0, 1.0, 0.5, v]))).unwrap();
    let labels = || decode(&idx::encode(&[2], &Values::Bytes(vec![0, 1]))).unwrap();
    let set = Dataset::from_idx("own", 2, images(0.2), labels()).unwrap();
    assert_eq!(set.pixels(), [0, 255, 128, 51]);
    contains(
        &refusal(Dataset::from_idx("own", 2, images(1.5), labels()), 2),
        &["1.5", "sample 1", "0 and 1"],
    );
}

#[test]
fn exchanged_and_unequal_files_are_refused() {
    let file = |name: &str, dims: &[usize]| {
        let values = Values::Bytes(vec![1; dims.iter().product()]);
        Idx { file: name.into(), dims: dims.into(), values }
    };
    let both = |images, labels| Dataset::from_idx("own", 2, images, labels);
    assert_eq!(both(file("i", &[2, 3, 4, 5]), file("l", &[2])).unwrap().shape(), [3, 4, 5]);
    let swapped = refusal(both(file("labels-file", &[2]), file("images-file", &[2, 4, 5])), 2);
    contains(&swapped, &["labels-file", "0x00000801", "0x00000803", "exchanged"]);
    let twice = refusal(both(file("i", &[2, 4, 5]), file("again", &[2, 4, 5])), 2);
    contains(&twice, &["again", "0x00000803", "expected 0x00000801"]);
    let unequal = refusal(both(file("i", &[3, 4, 5]), file("l", &[2])), 2);
    contains(&unequal, &["i with l", "3 images", "2 labels", "same split"]);
    let range = Idx { values: Values::Bytes(vec![1, 9]), ..file("l", &[2]) };
    contains(&refusal(both(file("i", &[2, 4, 5]), range), 2), &["i with l", "label 9", "sample 1"]);
}

#[test]
fn damaged_digits_are_refused_by_line() {
    let good = format!("{}3\n", "1,".repeat(64));
    let read = |text: &str| digits::decode(&gzip(text.as_bytes())[..], "digits.csv.gz", Split::Train);
    assert_eq!(read(&good).unwrap().labels(), [3]);
    let two = |line: &str| refusal(read(&format!("{good}{line}\n")), 2);
    contains(&two(&"1,".repeat(64)), &["digits.csv.gz, line 2", "integers"]);
    // A single line can unpack to more than the memory.
    contains(&refusal(read(&"0,".repeat(1 << 20)), 2), &["digits.csv.gz", "more than 1048576 bytes"]);
    contains(&two(&format!("{}3", "1,".repeat(63))), &["line 2", "64 values"]);
    contains(&two(&format!("{}10", "1,".repeat(64))), &["line 2", "label 10"]);
    contains(&two(&format!("17,{}3", "1,".repeat(63))), &["line 2", "pixel 17"]);
    let cut = gzip(good.repeat(1600).as_bytes());
    let result = digits::decode(&cut[..cut.len() - 9], "d", Split::Train);
    contains(&refusal(result, 2), &["damaged gzip"]);
}

// ---- data folder and import

/// A set of 6 + 3 images of 2x2, test files pinned as gzip.
fn tiny() -> &'static KnownSet {
    let [a, b, c, d] = tiny_contents();
    let files = vec![
        known_file("train-images", Part::Images(Split::Train), &a),
        known_file("train-labels", Part::Labels(Split::Train), &b),
        known_file("test-images.gz", Part::Images(Split::Test), &gzip(&c)),
        known_file("test-labels.gz", Part::Labels(Split::Test), &gzip(&d)),
    ];
    Box::leak(Box::new(known_set("tiny", [1, 2, 2], 3, [6, 3], files)))
}

fn tiny_contents() -> [Vec<u8>; 4] {
    let images = |n: u8| idx::encode(&[n.into(), 2, 2], &Values::Bytes((0..4 * n).collect()));
    let labels = |n: u8| idx::encode(&[n.into()], &Values::Bytes((0..n).map(|i| i % 3).collect()));
    [images(6), labels(6), images(3), labels(3)]
}

fn import(path: &Path, root: &Path) -> Result<Import> {
    import_sets(std::slice::from_ref(tiny()), path, root)
}

/// Everything below a folder, as sorted relative paths.
fn tree(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).into_iter().flatten().map(|e| e.unwrap().path()) {
        if entry.is_dir() { found.extend(tree(&entry)) } else { found.push(entry.display().to_string()) }
    }
    found.sort();
    found
}

/// Imports `bytes` as a file called `name`; all four files must be recognised, stored and loadable.
#[track_caller]
fn imports_all(name: &str, bytes: &[u8]) {
    let (from, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(from.path().join(name), bytes).unwrap();
    let found = import(&from.path().join(name), root.path()).unwrap();
    assert_eq!(found.files.len(), 4, "{found:?}");
    let folder = root.path().join("tiny").display().to_string();
    let stored = ["test-images.gz", "test-labels.gz", "train-images", "train-labels"];
    assert_eq!(tree(root.path()), stored.map(|f| format!("{folder}/{f}")));
    tiny().verify(root.path()).unwrap();
    assert_eq!(tiny().load(Split::Train, root.path()).unwrap().len(), 6);
    assert_eq!(tiny().load(Split::Test, root.path()).unwrap().pixels(), (0..12).collect::<Vec<u8>>());
}

/// The set's files under names that say nothing or mean harm, among others, packed or not.
fn members() -> Vec<(&'static str, Vec<u8>)> {
    let [a, b, c, d] = tiny_contents();
    vec![
        ("readme.md", b"hello".to_vec()),
        ("../../../tmp/escape", gzip(&a)),
        ("package/data/\u{1b}[31mx", b),
        ("c", gzip(&c)),
        ("/etc/d", gzip(&d)),
        ("same-size", vec![9; 14]),
    ]
}

fn tar(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_ustar();
        // `set_path` would refuse names that climb out.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, &content[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

fn deb(data_name: &str, data: &[u8]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, content) in [("debian-binary", &b"2.0\n"[..]), ("odd", b"odd"), (data_name, data)] {
        writeln!(out, "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`", 0, 0, 0, 100644, content.len()).unwrap();
        out.extend(content);
        out.extend(&b"\n"[..content.len() % 2]);
    }
    out
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0)).unwrap();
    xz.write_all(bytes).unwrap();
    xz.finish().unwrap()
}

fn zip(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (i, (name, content)) in members.iter().enumerate() {
        let method = [zip::CompressionMethod::Deflated, zip::CompressionMethod::Stored][i % 2];
        zip.start_file(*name, zip::write::SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn every_packaging_is_recognised_by_content() {
    let archive = tar(&members());
    imports_all("a.tar", &archive);
    imports_all("no-ending", &gzip(&archive));
    imports_all("a.tar.xz", &xz(&archive));
    imports_all("a.zip", &zip(&members()));
    imports_all("a.deb", &deb("data.tar", &archive));
    imports_all("a.deb", &deb("data.tar.gz", &gzip(&archive)));
    imports_all("a.deb", &deb("data.tar.xz", &xz(&archive)));
}

#[test]
fn folders_are_searched_and_damage_in_them_is_reported() {
    let (from, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let deep = from.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    let [a, b, ..] = tiny_contents();
    std::fs::write(deep.join("one"), &a).unwrap();
    std::fs::write(from.path().join("two.gz"), gzip(&b)).unwrap();
    std::fs::write(from.path().join("bad.gz"), &gzip(&a)[..20]).unwrap();
    std::fs::write(from.path().join("empty"), []).unwrap();
    let found = import(from.path(), root.path()).unwrap();
    let names: Vec<_> = found.files.iter().map(|f| f.file).collect();
    assert_eq!(names, ["train-images", "train-labels"]);
    assert_eq!(found.damaged.len(), 1);
    contains(&found.damaged[0], &["bad.gz"]);
    let lacking = refusal(tiny().load(Split::Test, root.path()), 3);
    contains(
        &lacking,
        &["`tiny`", "test-images.gz, test-labels.gz", "bouton data import PATH", "data import PATH"],
    );
    assert!(!lacking.contains("train"), "{lacking}");
}

#[test]
fn what_is_not_recognised_is_said() {
    let (from, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let put = |name: &str, bytes: &[u8]| {
        std::fs::write(from.path().join(name), bytes).unwrap();
        refusal(import(&from.path().join(name), root.path()), 2)
    };
    let [a, ..] = tiny_contents();
    contains(
        &put("x.tar", &tar(&[("notes", b"hi".to_vec())])),
        &["x.tar", "seen:", "notes", "tiny", "content"],
    );
    let mut changed = a.clone();
    changed[20] ^= 1;
    contains(&put("changed", &changed), &["no file of a known data set", "changed"]);
    contains(&put("cut.tgz", &gzip(&tar(&members()))[..100]), &["cut.tgz", "unpacked"]);
    contains(&put("cut.tar", &tar(&members())[..700]), &["cut.tar", "unpacked"]);
    contains(&put("cut.deb", &deb("data.tar", &tar(&members()))[..300]), &["cut.deb", "unpacked"]);
    contains(&put("cut.zip", &zip(&members())[..200]), &["cut.zip", "unpacked"]);
    contains(&put("a.deb", &deb("data.tar.zst", &[0x28, 0xb5, 0x2f, 0xfd])), &["zstd", "unpack it"]);
    let onion = (0..9).fold(a, |inner, _| gzip(&inner));
    contains(&put("onion", &onion), &["nested"]);
    let many: Vec<_> = (0..20).map(|_| ("f", b"x".to_vec())).collect();
    contains(&put("many.tar", &tar(&many)), &["and 14 more"]);
    let absent = import(&from.path().join("absent"), root.path()).unwrap_err();
    assert!(matches!(absent, Error::Io { .. }) && absent.to_string().contains("absent"));
    std::fs::create_dir(from.path().join("void")).unwrap();
    contains(&refusal(import(&from.path().join("void"), root.path()), 2), &["void", "no file"]);
    assert_eq!(tree(root.path()), Vec::<String>::new());
}

#[test]
fn missing_and_damaged_files_are_told_apart() {
    let root = tempfile::tempdir().unwrap();
    let set = tiny();
    let state = |i: usize| set.state(&set.files[i], root.path());
    contains(
        &refusal(set.load(Split::Train, root.path()), 3),
        &["train-images, train-labels", "data import PATH"],
    );
    contains(&refusal(store::load("mnist", Split::Test, Some(root.path())), 3), &["data get mnist"]);
    assert_eq!(store::status("mnist", Some(root.path())).unwrap()[0].1, State::Missing);
    std::fs::create_dir(root.path().join("tiny")).unwrap();
    let path = |i: usize| set.path(&set.files[i], root.path());
    let [a, b, ..] = tiny_contents();
    std::fs::write(path(0), &a[..30]).unwrap();
    std::fs::write(path(1), &b).unwrap();
    assert_eq!([state(0), state(1), state(2)], [State::WrongSize(30), State::Present, State::Missing]);
    let text = refusal(set.load(Split::Train, root.path()), 2);
    contains(&text, &["train-images", "30 bytes", "expected 40", "data import PATH"]);
    // A right size and header with another content: loading is quick and takes it, verifying is thorough.
    let mut changed = a.clone();
    changed[20] ^= 1;
    std::fs::write(path(0), &changed).unwrap();
    assert_eq!(set.load(Split::Train, root.path()).unwrap().len(), set.train);
    let [_, _, c, d] = tiny_contents();
    std::fs::write(path(2), gzip(&c)).unwrap();
    std::fs::write(path(3), gzip(&d)).unwrap();
    contains(&refusal(set.verify(root.path()), 2), &["train-images", &sha256(&a), &sha256(&changed)]);
    std::fs::write(path(0), &a).unwrap();
    set.verify(root.path()).unwrap();
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let from = tempfile::tempdir().unwrap();
    let [a, ..] = tiny_contents();
    std::fs::write(from.path().join("one"), &a).unwrap();
    // A file where the data folder should be: fails for every user, root included.
    let root = from.path().join("one");
    let e = import(&from.path().join("one"), &root).unwrap_err();
    assert!(matches!(&e, Error::Io { path, .. } if path.starts_with(&root)), "{e}");
    assert_eq!(e.exit_code(), 2);
}

// ---- the real sets, where they are present

#[test]
fn mnist_and_fashion_mnist_have_the_published_counts() {
    let mnist_train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
    let mnist_test = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    let sets = [("mnist", mnist_train, mnist_test), ("fashion-mnist", [6000; 10], [1000; 10])];
    for (name, train, test) in sets {
        let set = match store::load(name, Split::Train, None) {
            Err(Error::DataMissing { message, .. }) => {
                eprintln!("skipped: {message}");
                continue;
            }
            other => other.unwrap(),
        };
        assert_eq!(set.class_counts(), train);
        assert_eq!(store::load(name, Split::Test, None).unwrap().class_counts(), test);
        store::verify(name, None).unwrap();
        if name == "mnist" {
            assert_eq!(set.pixels().iter().map(|&p| u64::from(p)).sum::<u64>(), 1_567_298_545);
        }
    }
}
