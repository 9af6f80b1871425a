//! Every reader against damaged files: no panic, no hang, no memory beyond what the input explains, and what is accepted
//! is whole.
//!
//! A case is known by reader, seed and number. A few thousand of each run here; `cargo xtask fuzz` runs as many as it is
//! told, in processes of limited memory.

mod archives;
mod files;
mod images;
mod mutate;
mod networks;
mod own;
mod recipes;
mod run;

use run::{Reader, run};

fn readers() -> Vec<Reader> {
    [
        recipes::readers(),
        files::readers(),
        networks::readers(),
        images::readers(),
        archives::readers(),
        own::readers(),
    ]
    .concat()
}

fn short(names: &[&str]) {
    for reader in readers().iter().filter(|r| names.contains(&r.name)) {
        let tally = run(reader, 1, 0..reader.short, &mut |_| {});
        assert!(tally.failures.is_empty(), "{}: {:#?}", reader.name, tally.failures);
        assert!(tally.accepted > 0 && tally.accepted < tally.cases, "{}: {tally:?}", reader.name);
    }
}

#[test]
fn recipes_and_overrides() {
    short(&["recipe", "override"]);
}

#[test]
fn device_presets() {
    short(&["device"]);
}

#[test]
fn files_of_runs() {
    short(&["metrics", "status", "provenance", "results", "continual"]);
}

#[test]
fn checkpoints_and_packed_networks() {
    short(&["checkpoint", "resume", "packed"]);
}

#[test]
fn files_of_one_s_own() {
    short(&["table", "sequences", "n-mnist", "aedat2", "npz", "array", "picture", "pulses"]);
}

/// Before anything is decoded: it would take hundreds of MiB. Case 806306 of `picture`.
#[test]
fn few_bytes_are_no_large_jpeg() {
    let mut jpeg = images::JPEG.to_vec();
    assert!(bouton::task::pictures::decode(&jpeg).is_ok());
    let frame = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x1f, 0xf8, 0x1f, 0xf8]);
    let why = bouton::task::pictures::decode(&jpeg).unwrap_err();
    assert!(why.contains("66977856 pixels, which"), "{why}");
}

#[test]
fn image_files() {
    short(&["idx", "digits", "cifar", "stl", "svhn", "npy", "imagenet32", "jpeg"]);
}

#[test]
fn archives() {
    short(&["import"]);
}

/// `BOUTON_FUZZ` is `READER SEED FIRST END`, and `list` prints the readers; a line `fuzz {…}` tells how it went. With
/// `BOUTON_FUZZ_INPUT`, the last case is written to that file.
#[test]
#[ignore = "long: cargo xtask fuzz"]
fn long() {
    let words = std::env::var("BOUTON_FUZZ").expect("BOUTON_FUZZ");
    if words == "list" {
        return readers().iter().for_each(|r| println!("\nreader {}", r.name));
    }
    let [name, seed, first, end] = words.split(' ').collect::<Vec<_>>()[..] else { panic!("{words}") };
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let readers = readers();
    let reader = readers.iter().find(|r| r.name == name).expect("a reader");
    let keep = std::env::var_os("BOUTON_FUZZ_INPUT");
    let watch = run::Watch::start();
    let tally = run(reader, number(seed), number(first)..number(end), &mut |input| {
        watch.begin();
        keep.iter().for_each(|path| std::fs::write(path, input).unwrap());
    });
    println!("\nfuzz {}", tally.to_json());
}
