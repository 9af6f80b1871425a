//! Images in a folder per class: PNG and JPEG, told apart by their content. The names of the folders are those of the classes.

use super::Files;
use super::decoded::Decoded;
use super::resize;
use super::source::Source;
use super::table::{Inputs, Named, Table};
use crate::task::pictures::{self, Picture};
use crate::{Error, Result};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// How many files an error names.
const MOST_SHOWN: usize = 8;

/// All images below `path`.
///
/// # Errors
/// [`Error::Data`] if there are no folders or images, with the files that cannot be read, or if sizes differ.
pub(super) fn read(path: &Path, source: Source<'_>) -> Result<Table> {
    let (files, answers) = by_class(path, source.blind.is_some(), "images")?;
    Ok(Table { answers, ..of(path, &files, source.spec)? })
}

/// All files below `path`, which are called `what`, and their classes; where nobody asks for classes, those that lie in it itself.
///
/// # Errors
/// [`Error::Data`] if there are no folders or files.
pub(super) fn by_class(path: &Path, blind: bool, what: &str) -> Result<(Vec<PathBuf>, Named)> {
    let all = entries(path)?;
    let loose: Vec<PathBuf> = all.iter().filter(|entry| entry.is_file()).cloned().collect();
    if blind && !loose.is_empty() {
        let answers = Named::Unknown(loose.len());
        return Ok((loose, answers));
    }
    let (mut files, mut classes): (Vec<PathBuf>, Vec<String>) = (Vec::new(), Vec::new());
    for class in all.into_iter().filter(|entry| entry.is_dir()) {
        let name = class.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.extend(entries(&class)?.into_iter().filter(|file| file.is_file()));
        if files.len() == classes.len() {
            return Err(Error::data(format!("{}: no {what}", class.display()))
                .with_hint("every class needs some; remove the folder if it is none"));
        }
        classes.resize(files.len(), name);
    }
    if files.is_empty() {
        return Err(Error::data(format!("{}: no folders of {what}", path.display()))
            .with_hint(format!("put the {what} of each class into a folder with its name")));
    }
    let answers = if blind { Named::Unknown(files.len()) } else { Named::Classes(classes) };
    Ok((files, answers))
}

/// The one image of the file `path`.
///
/// # Errors
/// [`Error::Data`] if it cannot be read.
pub(super) fn alone(path: &Path, source: Source<'_>) -> Result<Table> {
    of(path, &[path.to_owned()], source.spec)
}

/// The images of some files, of whose classes nothing is known.
fn of(path: &Path, files: &[PathBuf], spec: &Files) -> Result<Table> {
    let decoded = Decoded::of(path, files, spec);
    let (shape, pixels) = match decoded.as_ref().and_then(Decoded::read) {
        Some(known) => known,
        None => {
            let (shape, pixels) = decode(files, spec)?;
            decoded.iter().for_each(|decoded| decoded.write(files.len(), shape, &pixels));
            (shape, pixels)
        }
    };
    let names = files.iter().map(|file| file.display().to_string()).collect();
    let answers = Named::Unknown(files.len());
    Ok(Table { names, ..Table::new(path.display().to_string(), shape, Inputs::Bytes(pixels), answers) })
}

/// The shape [channels, height, width] of all images, and their pixels.
fn decode(files: &[PathBuf], spec: &Files) -> Result<([usize; 3], Vec<u8>)> {
    let pictures: Vec<std::result::Result<Picture, String>> =
        files.par_iter().map(|file| pictures::open(file).map(|p| shown(p, spec))).collect();
    let bad: Vec<String> = files
        .iter()
        .zip(&pictures)
        .filter_map(|(file, picture)| Some(format!("{}: {}", file.display(), picture.as_ref().err()?)))
        .collect();
    if !bad.is_empty() {
        return Err(unreadable(&bad));
    }
    let pictures: Vec<Picture> = pictures.into_iter().flatten().collect();
    let channels = pictures.iter().map(|p| p.channels).max().unwrap_or(1);
    let [height, width] = pictures[0].size;
    if let Some(i) = pictures.iter().position(|p| p.size != pictures[0].size) {
        let [a, b] = [0, i]
            .map(|i| format!("{} ({}x{})", files[i].display(), pictures[i].size[0], pictures[i].size[1]));
        return Err(Error::data(format!("images of different sizes: {a}, {b}"))
            .with_hint("bring them to one: size = [32, 32] in [task.files]"));
    }
    let pixels = pictures
        .iter()
        .flat_map(|p| p.planes.iter().cycle().take(channels * height * width))
        .copied()
        .collect();
    Ok(([channels, height, width], pixels))
}

fn unreadable(bad: &[String]) -> Error {
    let more = bad.len().saturating_sub(MOST_SHOWN);
    let mut message = bad[..bad.len() - more].join("\n");
    if more > 0 {
        message += &format!("\nand {more} more");
    }
    Error::data(message).with_hint("replace these files by PNG or JPEG images, or remove them")
}

/// What a folder holds, by name, without what systems hide in it.
pub(super) fn entries(path: &Path) -> Result<Vec<PathBuf>> {
    let hidden = |p: &PathBuf| p.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let all = std::fs::read_dir(path).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let all = all.map_err(|e| Error::io(path, e))?.into_iter().map(|entry| entry.path());
    let mut all: Vec<PathBuf> = all.filter(|p| !hidden(p)).collect();
    all.sort();
    Ok(all)
}

/// A picture in the size and colours that are asked for.
fn shown(picture: Picture, spec: &Files) -> Picture {
    let picture = if spec.grey { picture.grey() } else { picture };
    let Some(to) = spec.size.filter(|to| *to != picture.size) else { return picture };
    let [height, width] = picture.size;
    let planes =
        picture.planes.chunks_exact(height * width).flat_map(|plane| resize::plane(plane, picture.size, to));
    Picture { size: to, channels: picture.channels, planes: planes.collect() }
}
