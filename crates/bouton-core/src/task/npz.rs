//! NPZ, the archive of NumPy arrays: a ZIP file with an [`npy`](super::npy) file for each array, called after it.

use super::npy::Array;
use crate::error::{Error, Result};
use crate::io::atomic;
use std::io::{Cursor, Write};
use std::path::Path;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// Writes arrays by name, whole or not at all.
///
/// # Errors
/// [`Error::Io`] if the disk refuses.
pub fn write(path: &Path, arrays: &[(&str, Array)]) -> Result<()> {
    let fail = |e: zip::result::ZipError| Error::io(path, std::io::Error::other(e));
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, array) in arrays {
        let bytes = array.to_bytes();
        let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let large = plain.large_file(bytes.len() >= u32::MAX as usize);
        zip.start_file(format!("{name}.npy"), large).map_err(fail)?;
        zip.write_all(&bytes).map_err(|e| Error::io(path, e))?;
    }
    atomic::write(path, zip.finish().map_err(fail)?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::npy::{Values, array};

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        let arrays = [
            ("x", Array { shape: vec![2, 3], values: Values::Floats(vec![0.5, -1.0, 2.0, 1e-9, 0.0, 7.0]) }),
            ("n", Array { shape: vec![2], values: Values::Integers(vec![-3, 4]) }),
            ("b", Array { shape: vec![1, 2], values: Values::Bytes(vec![0, 255]) }),
            (
                "names",
                Array {
                    shape: vec![3],
                    values: Values::Words(["ant", "", "bée"].map(String::from).to_vec()),
                },
            ),
        ];
        write(&path, &arrays).unwrap();
        let mut zip = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
        for (name, written) in &arrays {
            let mut member = zip.by_name(&format!("{name}.npy")).unwrap();
            assert_eq!(array(&mut member).unwrap(), *written, "{name}");
            let bytes = written.to_bytes();
            let values = bytes.iter().position(|&b| b == b'\n').unwrap() + 1;
            assert_eq!(values % 64, 0, "{name}");
        }
    }
}
