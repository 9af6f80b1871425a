//! Recordings of event cameras of one's own: what is read of single bytes, the same as dense arrays, and every refusal with its place.

use crate::own_sequences::{load, numbers, sets};
use bouton::Error;
use bouton::recipe::Recipe;
use bouton::task::npy::{Array, Values};
use bouton::task::{Dataset, npz};
use std::path::Path;

/// A record of N-MNIST, byte by byte as its description has them.
fn record(x: u8, y: u8, p: u8, t: u32) -> Vec<u8> {
    vec![x, y, p << 7 | (t >> 16) as u8, (t >> 8) as u8, t as u8]
}

/// A file of a DVS128, with a header.
fn aedat(events: &[(u32, u32, u32, u32)]) -> Vec<u8> {
    let mut bytes = b"#!AER-DAT2.0\r\n# made up\r\n".to_vec();
    for &(x, y, p, t) in events {
        bytes.extend((y << 8 | x << 1 | p).to_be_bytes());
        bytes.extend(t.to_be_bytes());
    }
    bytes
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Keys of a recipe about the folder `set`, of cameras of 2x3 pixels.
fn keys(form: &str, more: &str) -> String {
    format!("train = \"set\"\ntest = \"set\"\nevents = {{ form = \"{form}\", size = [2, 3], {more} }}")
}

fn first(recipe: &Recipe) -> Dataset {
    let [train, _] = sets(recipe);
    train
}

/// Recording a: events 0, 9, 10 and 25 µs after the first one, which is at 70,000 µs; b: one event.
fn two_recordings(folder: &Path) {
    let a =
        [record(0, 0, 0, 70_000), record(2, 1, 1, 70_009), record(2, 1, 1, 70_010), record(2, 1, 0, 70_025)];
    write(folder, "set/a/1.bin", &a.concat());
    write(folder, "set/b/1.bin", &record(1, 0, 1, 5));
}

/// What is not zero in a recording: step, place and number.
type Counts = Vec<(usize, usize, f32)>;

/// Steps of the two recordings, as [step, place] of what is not zero, and their lengths if they have some.
fn seen(folder: &Path, form: &str, more: &str, width: usize) -> (Vec<Counts>, Option<Vec<usize>>) {
    let set = first(&load(folder, &keys(form, more), &format!("[{width}, 5, 2]")).unwrap());
    let spikes = |sample: Vec<f32>| {
        let all = sample.into_iter().enumerate().filter(|(_, n)| *n != 0.0);
        all.map(|(i, n)| (i / width, i % width, n)).collect()
    };
    (numbers(&set).into_iter().map(spikes).collect(), set.spans().map(|spans| spans.lengths.clone()))
}

#[test]
fn events_fall_into_bins_channels_rows_and_columns() {
    let folder = tempfile::tempdir().unwrap();
    two_recordings(folder.path());
    let of = |more: &str, width| seen(folder.path(), "n-mnist", more, width);
    // Channel 1, row 1, column 2 of 2x3 pixels: 6 + 3 + 2.
    let a = vec![(0, 0, 1.0), (0, 11, 1.0), (1, 11, 1.0), (2, 5, 1.0)];
    assert_eq!(of("bin = 10", 12), (vec![a.clone(), vec![(0, 7, 1.0)]], Some(vec![3, 1])));
    let (cut, lengths) = of("bin = 10, steps = 2", 12);
    assert_eq!(
        (cut, lengths),
        (vec![a[..3].to_vec(), vec![(0, 7, 1.0)]], None),
        "what comes later is left out"
    );
    // 26 µs in two: 13 each, and the last event is in the last step.
    let halves = vec![(0, 0, 1.0), (0, 11, 2.0), (1, 5, 1.0)];
    assert_eq!(of("steps = 2", 12), (vec![halves, vec![(0, 7, 1.0)]], None));
    let one = vec![(0, 0, 1.0), (0, 5, 3.0)];
    assert_eq!(of("steps = 1, merged = true", 6).0, vec![one, vec![(0, 1, 1.0)]]);
    let present = vec![(0, 0, 1.0), (0, 5, 1.0)];
    assert_eq!(of("steps = 1, merged = true, binary = true", 6).0[0], present);
}

#[test]
fn times_have_23_bits_and_records_of_row_240_make_later_ones_later() {
    let folder = tempfile::tempdir().unwrap();
    let a = [
        record(0, 0, 0, 0x01_02_03),
        record(9, 240, 1, 0),
        record(0, 0, 1, 0x01_02_03),
        record(0, 0, 1, 0x7f_ff_ff),
    ];
    write(folder.path(), "set/a/1.bs2", &a.concat());
    write(folder.path(), "set/b/1.bs2", &record(0, 0, 0, 0));
    // 2¹³ µs after the first one; and 0x7fffff + 2¹³ − 0x010203.
    let last = (0x7f_ff_ff + 8192 - 0x01_02_03) / 8192;
    let (steps, lengths) = seen(folder.path(), "n-mnist", "bin = 8192", 12);
    assert_eq!(steps[0], [(0, 0, 1.0), (1, 6, 1.0), (last, 6, 1.0)]);
    assert_eq!(lengths, Some(vec![last + 1, 1]));
    assert_eq!(seen(folder.path(), "n-mnist", "bin = 8193", 12).0[0][1], (0, 6, 1.0));
}

#[test]
fn addresses_of_a_dvs128_are_column_row_and_polarity() {
    let folder = tempfile::tempdir().unwrap();
    let t = 0xfe_00_00_00;
    write(folder.path(), "set/a/1.aedat", &aedat(&[(2, 0, 1, t), (0, 1, 0, t + 9), (0, 1, 0, t + 10)]));
    write(folder.path(), "set/b/1.aedat", &aedat(&[(1, 1, 1, 0)]));
    let (steps, lengths) = seen(folder.path(), "aedat2", "bin = 10", 12);
    assert_eq!(steps, [vec![(0, 3, 1.0), (0, 8, 1.0), (1, 3, 1.0)], vec![(0, 10, 1.0)]]);
    assert_eq!(lengths, Some(vec![2, 1]));
    write(folder.path(), "set/b/1.aedat", &aedat(&[(127, 127, 1, 0)]));
    let whole = keys("aedat2", "steps = 1").replace("[2, 3]", "[128, 128]");
    let set = first(&load(folder.path(), &whole, "[32768, 2, 2]").unwrap());
    assert_eq!(numbers(&set)[1].iter().position(|n| *n == 1.0), Some(2 * 128 * 128 - 1));
}

#[test]
fn a_folder_of_events_is_the_same_as_dense_arrays() {
    let folder = tempfile::tempdir().unwrap();
    two_recordings(folder.path());
    let mut x = vec![0.0; 2 * 3 * 12];
    [0, 11, 12 + 11, 2 * 12 + 5, 36 + 7].into_iter().for_each(|i| x[i] = 1.0);
    let words = ["a", "b"].map(String::from).to_vec();
    let arrays = [
        ("X", Array { shape: vec![2, 3, 12], values: Values::Floats(x) }),
        ("y", Array { shape: vec![2], values: Values::Words(words) }),
        ("lengths", Array { shape: vec![2], values: Values::Integers(vec![3, 1]) }),
    ];
    npz::write(&folder.path().join("own.npz"), &arrays).unwrap();
    write(folder.path(), "loose/1.bin", &std::fs::read(folder.path().join("set/a/1.bin")).unwrap());
    write(folder.path(), "loose/2.bin", &std::fs::read(folder.path().join("set/b/1.bin")).unwrap());
    write(folder.path(), "list.txt", b"#file #class\n1\ta\n2.bin, b\n\n");
    let listed = keys("n-mnist", "bin = 10").replace("\"set\"", "\"loose\"");
    let cases = [
        keys("n-mnist", "bin = 10"),
        format!("{listed}\nlabels = \"list.txt\"\ntest-labels = \"list.txt\""),
        "train = \"own.npz\"\ntest = \"own.npz\"".into(),
    ];
    let all = cases.map(|keys| {
        let set = first(&load(folder.path(), &keys, "[12, 5, 2]").unwrap());
        (numbers(&set), set.labels().to_vec(), set.spans().cloned(), set.shape())
    });
    assert!(all.iter().all(|one| *one == all[2]), "{all:?}");
}

#[test]
fn files_that_are_no_recordings_are_refused_with_file_and_record() {
    let at = |t| record(0, 0, 0, t);
    let (aedat2, tail) = (|events: &[(u32, u32, u32, u32)]| aedat(events), aedat(&[(0, 0, 0, 1)]));
    let cases = [
        ("n-mnist", [at(1), vec![0; 3]].concat(), "1.bin: record 2 is torn: 3 bytes of 5", "copy the file"),
        (
            "n-mnist",
            [at(7), at(7), at(6)].concat(),
            "1.bin: record 3: 6 µs after 7 µs",
            "order of their times",
        ),
        ("n-mnist", record(3, 0, 0, 1), "1.bin: record 1: x = 3, y = 0 are not in 2x3", "events.size"),
        ("n-mnist", record(0, 2, 0, 1), "1.bin: record 1: x = 0, y = 2 are not in 2x3", "events.size"),
        ("n-mnist", record(0, 240, 0, 1), "1.bin: no events", "remove"),
        ("n-mnist", Vec::new(), "1.bin: no events", "remove"),
        (
            "n-mnist",
            [at(0), at(700_000)].concat(),
            "1.bin: 70001 steps of 10 µs are more than 65536",
            "bin longer",
        ),
        ("aedat2", tail[..tail.len() - 1].to_vec(), "1.bin: record 1 is torn: 7 bytes of 8", "form"),
        ("aedat2", aedat2(&[(0, 0, 0, 2), (0, 0, 0, 1)]), "1.bin: record 2: 1 µs after 2 µs", "order"),
        ("aedat2", aedat2(&[(3, 1, 0, 2)]), "1.bin: record 1: x = 3, y = 1 are not in 2x3", "events.size"),
        (
            "aedat2",
            aedat2(&[(0, 128, 0, 2)]),
            "1.bin: record 1: address 0x8000 has more than 15 bits",
            "DVS128",
        ),
        ("aedat2", b"#!AER-DAT3.1\r\n".to_vec(), "1.bin: the first line is not `#!AER-DAT2.0`", "AEDAT 2.0"),
        ("aedat2", b"#!AER-DAT2.0".to_vec(), "1.bin: its header has no end", "AEDAT 2.0"),
    ];
    for (form, bytes, words, hint) in cases {
        let folder = tempfile::tempdir().unwrap();
        let whole = if form == "n-mnist" { at(1) } else { aedat(&[(0, 0, 0, 1)]) };
        write(folder.path(), "set/a/0.bin", &whole);
        write(folder.path(), "set/b/1.bin", &bytes);
        let error = load(folder.path(), &keys(form, "bin = 10"), "[12, 5, 2]").expect_err(words);
        let said = format!("{error} / {}", error.hint().unwrap_or_default());
        assert!(
            matches!(error, Error::Data { .. }) && said.contains(words) && said.contains(hint),
            "{words}:\n{said}"
        );
    }
}

#[test]
fn keys_and_lists_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    two_recordings(folder.path());
    write(folder.path(), "loose/1.bin", &record(0, 0, 0, 1));
    write(folder.path(), "loose/2.bin", &record(0, 0, 0, 1));
    write(folder.path(), "loose/2.aux", b"?");
    let good = keys("n-mnist", "bin = 10");
    let mut cases = vec![
        (keys("n-mnist", "merged = true"), "task.files.events needs `steps` or `bin`", "bin = 10000"),
        (good.replace("[2, 3]", "[241, 3]"), "events.size = [241, 3]", "[240, 256]"),
        (
            keys("aedat2", "bin = 10").replace("[2, 3]", "[128, 129]"),
            "events.size = [128, 129]",
            "[128, 128]",
        ),
        (good.replace("\"set\"", "\"set/a/1.bin\""), "1.bin: no folder of events", "folder per class"),
        (good.replace("\"set\"", "\"loose\""), "no folders of events", "put the events of each class"),
    ];
    for key in ["grey = true", "size = [2, 2]", "header = true", "label = \"y\"", "targets = [\"y\"]"] {
        cases.push((format!("{good}\n{key}"), "does nothing beside task.files.events", "leave it out"));
    }
    let lists = [
        ("1 a b\n", "list.txt: line 1: 3 words", "its class"),
        ("#x\n1 a\n3 b\n", "list.txt: line 3: no file `3` in", "its class"),
        ("1 a\n2 b\n", "list.txt: line 2: several files are called `2`", "whole name"),
        ("1 a\n1.bin b\n", "list.txt: line 2: `1.bin` stands in line 1 already", "one class"),
        ("# nothing\n", "list.txt: names no files", "its class"),
    ];
    let listed = format!("{}\nlabels = \"list.txt\"", good.replace("\"set\"", "\"loose\""));
    for (keys, words, hint) in cases {
        refused(folder.path(), &keys, words, hint);
    }
    for (list, words, hint) in lists {
        write(folder.path(), "list.txt", list.as_bytes());
        refused(folder.path(), &listed, words, hint);
    }
}

fn refused(folder: &Path, keys: &str, words: &str, hint: &str) {
    let error = load(folder, keys, "[12, 5, 2]").expect_err(words);
    let said = format!("{error} / {}", error.hint().unwrap_or_default());
    assert!(said.contains(words) && said.contains(hint), "{words}:\n{said}");
}

/// The recipe of the guide, on the recordings where they are: so many events, so many of each class, and an update.
#[test]
fn n_mnist_is_read_as_the_guide_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let archive = root.join("../shared/data/nmnist-small-bs2.tar.xz");
    let folder = tempfile::tempdir().unwrap();
    let tar =
        || std::process::Command::new("tar").arg("xf").arg(&archive).current_dir(folder.path()).status();
    if !archive.exists() || !tar().is_ok_and(|status| status.success()) {
        eprintln!("skipped: {} is not here, or tar cannot unpack it", archive.display());
        return;
    }
    let page = std::fs::read_to_string(root.join("docs/src/guides/own-data.md")).unwrap();
    let block = page.split("```").find(|block| block.contains("train1K.txt")).expect("the recipe");
    std::fs::write(folder.path().join("r.toml"), block.trim_start_matches("toml,fragment")).unwrap();
    let recipe = Recipe::load(folder.path().join("r.toml")).unwrap();
    recipe.check().unwrap();
    assert_eq!(recipe.task.shape(), ([1, 30, 2312], 10));
    let [train, test] = sets(&recipe);
    assert_eq!((train.len(), test.len()), (1000, 100));
    // The labels are those of the first 1,000 images of MNIST.
    assert_eq!(train.labels()[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    let events = |set: &Dataset| numbers(set).iter().flatten().map(|n| f64::from(*n)).sum::<f64>();
    let mean = events(&train) / 1000.0;
    assert!((3900.0..=4200.0).contains(&mean), "{mean} events a recording, 4,108 with those after 300 ms");
    let mut tasks = bouton::task::stream::open(&recipe, None).unwrap();
    let batch = tasks.train.batch(0, bouton_kernels::DType::F32);
    assert_eq!((batch.len(), batch.x.cols()), (50, 30 * 2312));
}
