//! Colour image sets: every layout in small files of exactly that layout, and what damaged ones are answered with.

mod import;

use std::io::{Cursor, Write};

use bouton::Result;
use bouton::recipe::Recipe;
use bouton::task::catalogue::Part;
use bouton::task::layout::Layout;
use bouton::task::samples::Samples;
use bouton::task::{Dataset, Split};
use flate2::Compression;
use flate2::write::ZlibEncoder;

const PIXELS: usize = 3 * 32 * 32;
const JPEG: &[u8] = include_bytes!("../../../../../testdata/images/quadrants.jpg");

/// A byte that differs between channels, rows, columns and images.
fn pixel(image: usize, channel: usize, row: usize, column: usize) -> u8 {
    ((image * 71 + channel * 89 + row * 7 + column * 3) % 256) as u8
}

/// The images as [`Samples`] hold them.
fn planes(images: usize, side: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for i in 0..images * 3 * side * side {
        let (column, row) = (i % side, i / side % side);
        out.push(pixel(i / (3 * side * side), i / (side * side) % 3, row, column));
    }
    out
}

/// The same images column by column.
fn columns(images: usize, side: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for i in 0..images * 3 * side * side {
        let (row, column) = (i % side, i / side % side);
        out.push(pixel(i / (3 * side * side), i / (side * side) % 3, row, column));
    }
    out
}

fn decode(layout: Layout, part: Part, bytes: &[u8]) -> Result<Samples> {
    let mut samples = Samples::default();
    layout.decode(part.is_labels(), Cursor::new(bytes), "some/file", &mut samples).map(|()| samples)
}

/// What is said about damaged bytes, which must name the file and the way out.
#[track_caller]
fn refused(layout: Layout, part: Part, bytes: &[u8], says: &[&str]) {
    let text = said(decode(layout, part, bytes));
    contains(&text, &["some/file: ", "fetch or import it again"]);
    contains(&text, says);
}

#[track_caller]
fn said<T: std::fmt::Debug>(result: Result<T>) -> String {
    let e = result.expect_err("must be refused");
    assert_eq!(e.exit_code(), 2, "{e}");
    format!("{e} | {}", e.hint().expect("a hint"))
}

#[track_caller]
fn contains(text: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(text.contains(part), "`{part}` is not in: {text}"));
}

const TRAIN: Part = Part::Samples(Split::Train);

// ---- SVHN and MATLAB files

/// An element of a MATLAB file, padded.
fn element(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = [kind.to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

/// An element of at most 4 bytes, written small.
fn small(kind: u16, bytes: &[u8]) -> Vec<u8> {
    let mut out = [kind.to_le_bytes(), (bytes.len() as u16).to_le_bytes()].concat();
    out.extend(bytes);
    out.resize(8, 0);
    out
}

fn matrix(name: &str, dims: &[u32], values: &[u8], kind: u32) -> Vec<u8> {
    let flags = element(6, &[9, 0, 0, 0, 0, 0, 0, 0]);
    let dims: Vec<u8> = dims.iter().flat_map(|d| d.to_le_bytes()).collect();
    let name = if name.len() <= 4 { small(1, name.as_bytes()) } else { element(1, name.as_bytes()) };
    element(14, &[flags, element(5, &dims), name, element(kind, values)].concat())
}

fn packed(element: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(element).unwrap();
    let bytes = zlib.finish().unwrap();
    let mut out = [15_u32.to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
    out.extend(bytes);
    out
}

fn mat(elements: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"MATLAB 5.0 MAT-file, Platform: GLNXA64".to_vec();
    out.resize(124, b' ');
    out.extend([0, 1, b'I', b'M']);
    elements.iter().for_each(|e| out.extend(e));
    out
}

#[test]
fn svhn_is_read_packed_and_plain() {
    let x = matrix("X", &[32, 32, 3, 3], &columns(3, 32), 2);
    let y = matrix("y", &[3, 1], &[10, 1, 9], 2);
    let other = matrix("another matrix", &[1, 1], &[7], 2);
    let doubles: Vec<u8> = [10.0_f64, 1.0, 9.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let y_doubles = matrix("y", &[3, 1], &doubles, 9);
    for elements in [
        vec![packed(&x), packed(&y)],
        vec![y, packed(&other), x.clone()],
        vec![element(1, b"a note of another type"), other, packed(&y_doubles), packed(&x)],
    ] {
        let samples = decode(Layout::Svhn, TRAIN, &mat(&elements)).unwrap();
        assert_eq!(samples.labels, [0, 1, 9]);
        assert!(samples.pixels == planes(3, 32));
    }
}

#[test]
fn damaged_svhn_is_refused() {
    let bad = |bytes: &[u8], says: &[&str]| refused(Layout::Svhn, TRAIN, bytes, says);
    let x = |n: u32| packed(&matrix("X", &[32, 32, 3, n], &columns(n as usize, 32), 2));
    let y = |labels: &[u8]| packed(&matrix("y", &[labels.len() as u32, 1], labels, 2));
    let good = mat(&[x(2), y(&[1, 2])]);
    for cut in [0, 50, 127] {
        bad(&good[..cut], &["truncated", &format!("{cut} of 128 bytes")]);
    }
    for cut in [131, 136, 500, good.len() - 1] {
        bad(&good[..cut], &[]);
    }
    bad(&good[..128], &["no matrix is called `X`"]);
    bad(&mat(&[x(2)]), &["no matrix is called `y`"]);
    // Unpacking goes no further than an element says, however much more is packed.
    let more = packed(&[matrix("X", &[1, 1], &[1], 2), vec![0; 9]].concat());
    bad(&mat(&[more, y(&[1])]), &["packed data go on behind their element of"]);
    bad(&[&b"\x89HDF\r\n\x1a\n"[..], &[0; 200]].concat(), &["level 5"]);
    let end = |bytes: [u8; 4]| [&good[..124], &bytes, &good[128..]].concat();
    bad(&end([1, 0, b'M', b'I']), &["big-endian"]);
    bad(&end([0, 2, b'I', b'M']), &["7.3"]);
    bad(&mat(&[x(2), y(&[1, 11])]), &["label 11 of sample 1", "1 to 10"]);
    bad(&mat(&[x(2), y(&[0, 1])]), &["label 0 of sample 0"]);
    bad(&mat(&[x(2), y(&[1, 2, 3])]), &["2 images but 3 labels"]);
    let flat = matrix("X", &[32, 32, 6], &columns(2, 32), 2);
    bad(&mat(&[flat, y(&[1, 2])]), &["[32, 32, 6]", "[32, 32, 3, N]"]);
    let short = matrix("X", &[32, 32, 3, 2], &columns(1, 32), 2);
    bad(&mat(&[short, y(&[1, 2])]), &["[32, 32, 3, 2]", "3072 values"]);
    let singles = matrix("y", &[2, 1], &[0; 8], 7);
    bad(&mat(&[x(2), singles]), &["y holds values of type 7"]);
    let half: Vec<u8> = [1.0_f64, 2.5].iter().flat_map(|v| v.to_le_bytes()).collect();
    bad(&mat(&[x(2), matrix("y", &[2, 1], &half, 9)]), &["y holds other values"]);
    let mut garbled = good.clone();
    let checksum = 128 + 8 + x(2).len() - 8 - 2;
    garbled[checksum] ^= 1;
    bad(&garbled, &["damaged data"]);
    let huge = matrix("X", &[u32::MAX, u32::MAX, u32::MAX, 2], &[], 2);
    bad(&mat(&[huge]), &["impossible dimensions"]);
}

// ---- STL-10

#[test]
fn stl_is_transposed_and_its_labels_begin_at_zero() {
    let images = decode(Layout::Stl10, Part::Images(Split::Test), &columns(2, 96)).unwrap();
    assert!(images.pixels == planes(2, 96));
    let labels = decode(Layout::Stl10, Part::Labels(Split::Test), &[1, 10, 5]).unwrap();
    assert_eq!((labels.labels, labels.pixels), (vec![0, 9, 4], vec![]));
    let short = &columns(2, 96)[..2 * 27_648 - 1];
    refused(Layout::Stl10, Part::Images(Split::Test), short, &["record 1 has 27647 of 27648 bytes"]);
    refused(Layout::Stl10, Part::Labels(Split::Test), &[1, 0], &["record 1: label 0, expected 1 to 10"]);
    refused(Layout::Stl10, Part::Labels(Split::Test), &[11], &["record 0: label 11"]);
    refused(Layout::Stl10, Part::Labels(Split::Test), &[], &["no records"]);
}

// ---- ImageNet32

fn npy(kind: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    while !(10 + text.len() + 1).is_multiple_of(64) {
        text.push(' ');
    }
    text.push('\n');
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), values].concat()
}

fn zip(members: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn npz(labels: &[i64]) -> Vec<u8> {
    let n = labels.len();
    let labels: Vec<u8> = labels.iter().flat_map(|l| l.to_le_bytes()).collect();
    let (data, labels) =
        (npy("|u1", &format!("({n}, 3072)"), &planes(n, 32)), npy("<i8", &format!("({n},)"), &labels));
    let mean = npy("<f8", "(1,)", &[0; 8]);
    let members = [("mean.npy", &mean[..]), ("data.npy", &data), ("labels.npy", &labels)];
    zip(&members, zip::CompressionMethod::Stored)
}

#[test]
fn imagenet32_has_a_thousand_classes_from_zero() {
    let samples = decode(Layout::ImageNet32, TRAIN, &npz(&[1, 1000, 300])).unwrap();
    assert_eq!(samples.labels, [0, 999, 299]);
    assert!(samples.pixels == planes(3, 32));
    let data = npy("|u1", "(1, 3072)", &planes(1, 32));
    let labels = npy("<u2", "(1,)", &[0xe8, 3]);
    let deflated = [("labels.npy", &labels[..]), ("data.npy", &data)];
    let samples = decode(Layout::ImageNet32, TRAIN, &zip(&deflated, zip::CompressionMethod::Deflated));
    assert_eq!(samples.unwrap().labels, [999]);
}

#[test]
fn damaged_imagenet32_is_refused() {
    let bad = |bytes: &[u8], says: &[&str]| refused(Layout::ImageNet32, TRAIN, bytes, says);
    let pair = |data: &[u8], labels: &[u8]| {
        zip(&[("data.npy", data), ("labels.npy", labels)], zip::CompressionMethod::Deflated)
    };
    let one = npy("|u1", "(1,)", &[1]);
    bad(&npz(&[1, 0]), &["labels.npy", "label 0 of sample 1", "1 to 1000"]);
    bad(&npz(&[1001]), &["label 1001 of sample 0"]);
    let many = [npy("<i8", "(600000,)", &[]), vec![1; 8 * 600_000]].concat();
    bad(
        &pair(&npy("|u1", "(1, 3072)", &planes(1, 32)), &many),
        &["labels.npy", "one dimension of at most 524288"],
    );
    // More images than labels are not even unpacked.
    bad(&pair(&npy("|u1", "(9000000000, 3072)", &[]), &one), &["data.npy: 9000000000 images but 1 labels"]);
    bad(&npz(&[1, 2])[..3000], &["no NumPy archive"]);
    bad(b"not a zip archive", &["no NumPy archive"]);
    bad(&zip(&[("data.npy", &one)], zip::CompressionMethod::Stored), &["labels.npy"]);
    bad(&pair(&npy("|u1", "(2, 3072)", &planes(2, 32)), &one), &["2 images but 1 labels"]);
    let cut = &planes(2, 32)[..5000];
    let two = npy("|u1", "(2,)", &[1, 2]);
    bad(&pair(&npy("|u1", "(2, 3072)", cut), &two), &["data.npy: truncated: record 1 has 1928 of 3072"]);
    bad(&pair(&npy("<f4", "(1, 3072)", &[0; 4]), &one), &["data.npy", "<f4", "(N, 3072)"]);
    bad(&pair(&npy("|u1", "(1, 12288)", &[0; 4]), &one), &["12288", "(N, 3072)"]);
    bad(&pair(&npy("|u1", "(1, 3072)", &planes(1, 32)), b"PK"), &["labels.npy: truncated"]);
}

#[test]
fn more_classes_than_a_byte_holds_are_kept_and_learned() {
    let set = Dataset::synthetic([1, 2, 2], 1000, 1000, 0).unwrap();
    assert_eq!((set.label(999), set.class_counts()), (999, vec![1; 1000]));
    let recipe = "[task.imagenet32]\nbatch = 2\nepochs = 1\n[network]\nlayers = [3072, 10, 1000]\n[neuron.relu]\n\
                  [credit.backprop]\n[optim.sgd]\nlr = 0.1\n";
    Recipe::parse(recipe, "r").and_then(|r| r.check()).unwrap();
}
