//! Files of images and labels, of every layout.

use std::io::{Cursor, Write};

use bouton::task::idx::{self, Idx, Values};
use bouton::task::layout::Layout;
use bouton::task::samples::Samples;
use bouton::task::{Dataset, Split, digits, jpegs, npy};
use bouton::{Error, Result};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::run::Reader;

pub const JPEG: &[u8] = include_bytes!("../../../../../testdata/images/quadrants.jpg");

pub fn readers() -> Vec<Reader> {
    let tokens = &[
        "'shape': (",
        "'descr': '<i8'",
        "|u1",
        "True",
        ",",
        ")",
        "data.npy",
        "labels.npy",
        "PK\x01\x02",
        "PK\x03\x04",
        "X",
        "y",
    ];
    let reader = |name, short, seeds, read| Reader { name, short, seeds, tokens, read };
    vec![
        reader("idx", 4000, idx_files as fn() -> _, idx as fn(&[u8]) -> _),
        reader("digits", 2000, digit_files, digit),
        reader("cifar", 1000, cifar_files, cifar),
        reader("stl", 500, stl_files, stl),
        reader("svhn", 1500, svhn_files, svhn),
        reader("npy", 4000, npy_files, npy_array),
        reader("imagenet32", 1500, npz_files, npz),
        reader("jpeg", 1000, || vec![JPEG.into()], jpeg),
    ]
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

// ---- IDX

pub fn idx_files() -> Vec<Vec<u8>> {
    let images = idx::encode(&[3, 2, 4], &Values::Bytes((0..24).collect()));
    let labels = idx::encode(&[3], &Values::Bytes(vec![2, 0, 1]));
    let floats = idx::encode(&[2, 1, 2, 2], &Values::Floats((0..8_u8).map(|i| f32::from(i) / 8.0).collect()));
    vec![gzip(&images), gzip(&floats), images, labels, floats]
}

fn idx(bytes: &[u8]) -> Result<()> {
    let read = idx::decode(bytes, "some/file")?;
    let (n, labels) = (read.dims[0], Values::Bytes(vec![1; read.dims[0].min(1 << 16)]));
    let again = idx::decode(&idx::encode(&read.dims, &read.values)[..], "some/file").expect("readable");
    assert_eq!(again, read);
    let labels = Idx { file: "labels".into(), dims: vec![n.min(1 << 16)], values: labels };
    match Dataset::from_idx("set", 3, read, labels) {
        Ok(set) => assert_eq!((set.len(), set.pixels().len()), (n, n * set.features())),
        Err(e) => assert!(matches!(e, Error::Data { .. }), "{e:?}"),
    }
    Ok(())
}

// ---- digits

fn digit_files() -> Vec<Vec<u8>> {
    let text: String = (0..3_u8).map(|i| format!("{}{}\n", "0,16,5,".repeat(21) + "3,", i)).collect();
    vec![gzip(text.as_bytes()), text.into()]
}

/// Every other case is damaged before it is packed.
fn digit(bytes: &[u8]) -> Result<()> {
    let packed = if bytes.starts_with(&[0x1f, 0x8b]) { bytes.to_vec() } else { gzip(bytes) };
    let set = digits::decode(&packed[..], "some/file", Split::Train)?;
    assert_eq!(set.pixels().len(), 64 * set.len());
    Ok(())
}

// ---- records

fn cifar_files() -> Vec<Vec<u8>> {
    vec![[&[5][..], &[7; 3072], &[0], &[200; 3072]].concat(), [&[19, 99][..], &[7; 3072]].concat()]
}

fn read(layout: Layout, labels: bool, bytes: &[u8]) -> Result<Samples> {
    let mut samples = Samples::default();
    layout.decode(labels, Cursor::new(bytes), "some/file", &mut samples)?;
    Ok(samples)
}

fn whole(samples: &Samples, pixels: usize, classes: u16) {
    assert_eq!(samples.pixels.len(), pixels * samples.labels.len());
    assert!(samples.labels.iter().all(|&l| l < classes));
}

fn cifar(bytes: &[u8]) -> Result<()> {
    read(Layout::Cifar10, false, bytes)
        .map(|s| whole(&s, 3072, 10))
        .or_else(|_| read(Layout::Cifar100, false, bytes).map(|s| whole(&s, 3072, 100)))
}

fn stl_files() -> Vec<Vec<u8>> {
    vec![vec![9; 3 * 96 * 96], vec![1, 10, 3]]
}

fn stl(bytes: &[u8]) -> Result<()> {
    let images = read(Layout::Stl10, false, bytes).map(|s| assert!(s.pixels.len().is_multiple_of(27_648)));
    images.or_else(|_| read(Layout::Stl10, true, bytes).map(|s| assert!(s.labels.iter().all(|&l| l < 10))))
}

// ---- SVHN

fn element(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = [kind.to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

fn matrix(name: &str, dims: &[u32], values: &[u8], kind: u32) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|d| d.to_le_bytes()).collect();
    let head =
        [element(6, &[9, 0, 0, 0, 0, 0, 0, 0]), element(5, &dims), element(1, name.as_bytes())].concat();
    element(14, &[head, element(kind, values)].concat())
}

fn svhn_files() -> Vec<Vec<u8>> {
    let mut head = b"MATLAB 5.0 MAT-file".to_vec();
    head.resize(124, b' ');
    head.extend([0, 1, b'I', b'M']);
    let (x, y) = (matrix("X", &[32, 32, 3, 1], &[3; 3072], 2), matrix("y", &[1, 1], &[10], 2));
    let doubles = matrix("y", &[1, 1], &4_f64.to_le_bytes(), 9);
    let packed = |element: &[u8]| {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(element).unwrap();
        let bytes = zlib.finish().unwrap();
        [&15_u32.to_le_bytes()[..], &(bytes.len() as u32).to_le_bytes(), &bytes].concat()
    };
    let other = matrix("other", &[1, 1], &[1], 2);
    [[packed(&x), packed(&y)].concat(), [x.clone(), y].concat(), [other, doubles, x].concat()]
        .map(|body| [&head[..], &body].concat())
        .into()
}

fn svhn(bytes: &[u8]) -> Result<()> {
    read(Layout::Svhn, false, bytes).map(|s| whole(&s, 3072, 10))
}

// ---- NumPy

fn npy_file(kind: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), values].concat()
}

fn npy_files() -> Vec<Vec<u8>> {
    vec![
        npy_file("<i8", "(2,)", &[1; 16]),
        npy_file("|u1", "(2, 3)", &[5; 6]),
        npy_file("<i2", "(3,)", &[7; 6]),
    ]
}

fn npy_array(mut bytes: &[u8]) -> Result<()> {
    let header = npy::header(&mut bytes).map_err(Error::data)?;
    let n = header.shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
    let n = n.ok_or_else(|| Error::data("too many"))?;
    let values = npy::integers(&mut bytes, &header, n).map_err(Error::data)?;
    assert_eq!(values.len(), n);
    Ok(())
}

fn npz_files() -> Vec<Vec<u8>> {
    use zip::CompressionMethod::{Deflated, Stored};
    let members = [
        ("data.npy", npy_file("|u1", "(1, 3072)", &[9; 3072])),
        ("labels.npy", npy_file("<i8", "(1,)", &7_i64.to_le_bytes())),
    ];
    [Stored, Deflated].map(|method| super::archives::zip(&members, method)).into()
}

fn npz(bytes: &[u8]) -> Result<()> {
    read(Layout::ImageNet32, false, bytes).map(|s| whole(&s, 3072, 1000))
}

// ---- JPEG

/// The image is damaged, not the archive around it.
fn jpeg(bytes: &[u8]) -> Result<()> {
    let records = jpegs::pack(&super::archives::tar(&[("test/0_3.jpg", bytes)])[..]).map_err(Error::data)?;
    assert_eq!((records.len(), records[0]), (3073, 3));
    Ok(())
}
