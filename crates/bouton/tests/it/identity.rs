//! A run is known by its recipe, its data and the program; only what is the same is done, or goes on.

use bouton::recipe::Recipe;
use bouton::train::{Earlier, Outcome, Provenance, RunDir, RunOptions, Silent, State, run};
use bouton::{ARITHMETIC, Error};
use std::cell::Cell;
use std::path::Path;

const RECIPE: &str = "[task.digits]\nbatch = 10\nepochs = 1\ntrain = 60\ntest = 20\n[network]\nlayers = [64, 8, 10]\n\
    [neuron.sign]\n[norm.batch]\n[credit.backprop]\n[objective.softmax-cross-entropy]\n[optim.adam]\nlr = 8.0\n";
const DEVICE: &str = include_str!("../../../bouton-core/data/devices/majumdar2021.toml");
const ALL: usize = usize::MAX;

/// Runs `recipe` and asks for an interrupt after `updates`.
fn go(recipe: &Recipe, updates: usize, options: RunOptions<'_>) -> bouton::Result<Outcome> {
    let asked = Cell::new(0);
    let interrupt = || {
        asked.set(asked.get() + 1);
        asked.get() >= updates
    };
    run(recipe, &RunOptions { interrupt: &interrupt, ..options }, &mut Silent)
}

fn digits() -> Recipe {
    Recipe::parse(RECIPE, "digits.toml").unwrap()
}

fn folder_of(outcome: bouton::Result<Outcome>) -> (RunDir, bool) {
    match outcome.unwrap() {
        Outcome::Finished { run, .. } => (RunDir::open(run).unwrap(), false),
        Outcome::AlreadyDone { run } => (RunDir::open(run).unwrap(), true),
    }
}

fn refused(outcome: bouton::Result<Outcome>, words: &[&str]) {
    let error = outcome.unwrap_err();
    let said = format!("{error} / {}", error.hint().unwrap_or_default());
    assert_eq!(error.exit_code(), 2, "{said}");
    words.iter().for_each(|word| assert!(said.contains(word), "{word}: {said}"));
}

/// Everything in a run folder, but for the lock.
fn content(run: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(run).unwrap().map(|e| e.unwrap().path()) {
        if entry.is_dir() {
            files.extend(content(&entry));
        } else if !entry.ends_with(".lock") {
            files.push((entry.clone(), std::fs::read(&entry).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn a_changed_device_file_is_another_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("rram.toml"), folder.path().join("runs"));
    let preset = |text: &str| std::fs::write(folder.path().join("device.toml"), text).unwrap();
    std::fs::write(&file, format!("{RECIPE}[synapse.rram]\ndevice = 'device.toml'\n")).unwrap();
    preset(DEVICE);
    let options = || RunOptions::new(&out);
    let (first, _) = folder_of(go(&Recipe::load(&file).unwrap(), ALL, options()));
    assert_eq!(folder_of(go(&Recipe::load(&file).unwrap(), ALL, options())), (first.clone(), true));

    preset(&DEVICE.replace("scale = 6.564678e-4", "scale = 1e-2").replace("high = 7.6e-3", "high = 7.6e-1"));
    let (other, done) = folder_of(go(&Recipe::load(&file).unwrap(), ALL, options()));
    assert!(other != first && !done);

    // The folder of a run needs neither the device nor its place.
    let moved = folder.path().join("moved");
    std::fs::rename(first.path(), &moved).unwrap();
    for name in ["device.toml", "rram.toml"] {
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    let again = Recipe::load(moved.join("recipe.toml")).unwrap();
    let weights = |run: &Path| std::fs::read(run.join("checkpoints/last.safetensors")).unwrap();
    let (repeated, _) = folder_of(go(&again, ALL, options()));
    assert_eq!(weights(repeated.path()), weights(&moved));
    assert_ne!(weights(other.path()), weights(&moved));
}

/// MNIST in its layout, but made up: zeros, of which `label` is the first.
fn made_up(folder: &Path, label: u8, [height, width]: [u32; 2]) {
    use std::io::Write;
    std::fs::create_dir_all(folder.join("mnist")).unwrap();
    for (split, n) in [("train", 60_000_u32), ("t10k", 10_000)] {
        for (part, dims) in [("images-idx3", vec![n, height, width]), ("labels-idx1", vec![n])] {
            let file = std::fs::File::create(folder.join(format!("mnist/{split}-{part}-ubyte")));
            let mut file = file.unwrap();
            file.write_all(&[0, 0, 8, dims.len() as u8]).unwrap();
            dims.iter().for_each(|d| file.write_all(&d.to_be_bytes()).unwrap());
            if dims.len() == 1 {
                file.write_all(&[label]).unwrap();
            }
            let size = 4 + 4 * dims.len() as u64 + dims.iter().map(|d| u64::from(*d)).product::<u64>();
            file.set_len(size).unwrap();
        }
    }
}

#[test]
fn other_data_are_another_run_and_only_the_published_ones_have_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let (out, [a, b, turned]) =
        (folder.path().join("runs"), ["a", "b", "turned"].map(|n| folder.path().join(n)));
    made_up(&a, 0, [28, 28]);
    made_up(&b, 1, [28, 28]);
    made_up(&turned, 0, [14, 56]);
    let text = RECIPE.replace("task.digits", "task.mnist").replace("[64, 8, 10]", "[784, 4, 10]");
    let recipe = Recipe::parse(&text, "mnist.toml").unwrap();
    let options = |data: &Path| RunOptions { data: Some(data.into()), ..RunOptions::new(&out) };
    let (first, _) = folder_of(go(&recipe, ALL, options(&a)));
    assert_eq!(folder_of(go(&recipe, ALL, options(&a))), (first.clone(), true));
    refused(
        go(&recipe, ALL, options(&b)),
        &["finished run", "other data (mnist/t10k-labels-idx1-ubyte)", "--again"],
    );
    let (second, _) = folder_of(go(&recipe, ALL, RunOptions { earlier: Earlier::Ignored, ..options(&b) }));
    for (data, run) in [(&a, &first), (&b, &second)] {
        assert_eq!(folder_of(go(&recipe, ALL, options(data))), (run.clone(), true), "each data its run");
    }
    let told = Provenance::read(&first.provenance()).unwrap();
    assert_eq!(told.unpublished.len(), 4);
    assert_eq!(told.data["mnist/train-labels-idx1-ubyte"].len(), "sha256:".len() + 64);
    assert!(std::fs::read_to_string(first.log()).unwrap().contains("not the published files of that name"));
    let error = go(&recipe, ALL, RunOptions { earlier: Earlier::Ignored, ..options(&turned) }).unwrap_err();
    assert!(matches!(error, Error::Data { .. }), "{error}");
    assert!(error.to_string().contains("images of 1x14x56, expected 1x28x28"), "{error}");
}

#[test]
fn a_finished_run_of_another_build_is_not_this_one() {
    let out = tempfile::tempdir().unwrap();
    let built =
        |build: Option<&str>| RunOptions { build: build.map(Into::into), ..RunOptions::new(out.path()) };
    let (first, _) = folder_of(go(&digits(), ALL, built(Some("34d4860"))));
    assert_eq!(folder_of(go(&digits(), ALL, built(Some("34d4860")))), (first.clone(), true));
    for other in [None, Some("34d4860, modified 1b2f3a9")] {
        refused(
            go(&digits(), ALL, built(other)),
            &["another build (bouton 0.1.0 (34d4860), this is", "--again"],
        );
    }
    let whatever = RunOptions { earlier: Earlier::AnyBuild, ..built(None) };
    assert_eq!(folder_of(go(&digits(), ALL, whatever)), (first.clone(), true));
    assert_eq!(Provenance::read(&first.provenance()).unwrap().program(), "bouton 0.1.0 (34d4860)");
}

/// An unfinished run goes on with any build of the same arithmetic; a refusal changes nothing in its folder.
#[test]
fn what_a_run_cannot_go_on_with_leaves_it_as_it_was() {
    let out = tempfile::tempdir().unwrap();
    assert!(matches!(go(&digits(), 2, RunOptions::new(out.path())), Err(Error::Interrupted)));
    let dir = RunDir::of_recipe(out.path(), &digits().hash()).unwrap().remove(0);
    let (began, before) = (Provenance::read(&dir.provenance()).unwrap(), content(dir.path()));
    let mut other_data = began.clone();
    other_data.data.insert("digits/digits.csv.gz".into(), "sha256:00".into());
    let cases = [
        (other_data, &"other data (digits/digits.csv.gz)".to_string()),
        (
            Provenance { arithmetic: Some(0), ..began.clone() },
            &format!("another arithmetic (number 0, this is {ARITHMETIC})"),
        ),
        (
            Provenance { arithmetic: None, ..began.clone() },
            &format!("another arithmetic (number none, this is {ARITHMETIC})"),
        ),
    ];
    for (told, words) in cases {
        told.write(&dir.provenance()).unwrap();
        let changed = content(dir.path());
        refused(go(&digits(), ALL, RunOptions::new(out.path())), &["unfinished run", words, "--again"]);
        assert_eq!(content(dir.path()), changed);
    }
    began.write(&dir.provenance()).unwrap();
    // Every checkpoint is damaged: this, too, is found out before anything is written.
    let last = dir.checkpoints().join("last.safetensors");
    let numbered = dir.checkpoints().join("000002.safetensors");
    let whole = std::fs::read(&last).unwrap();
    let put = |bytes: &[u8]| [&last, &numbered].iter().for_each(|path| std::fs::write(path, bytes).unwrap());
    put(b"garbage");
    let damaged = content(dir.path());
    assert!(matches!(go(&digits(), ALL, RunOptions::new(out.path())), Err(Error::Checkpoint { .. })));
    assert_eq!(content(dir.path()), damaged);
    assert_eq!((dir.status().unwrap().state, dir.status().unwrap().step), (State::Interrupted, 2));
    put(&whole);
    assert_eq!(content(dir.path()), before);

    let newer = RunOptions { build: Some("another".into()), ..RunOptions::new(out.path()) };
    assert_eq!(folder_of(go(&digits(), ALL, newer)), (dir.clone(), false));
    assert!(std::fs::read_to_string(dir.log()).unwrap().contains("going on after update 2"));
}

/// A run that was stopped before its first checkpoint begins again in its folder, with whatever there is then.
#[test]
fn a_recipe_that_was_changed_in_its_run_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (run, _) = folder_of(go(&digits(), ALL, RunOptions::new(folder.path())));
    let text = std::fs::read_to_string(run.recipe()).unwrap();
    std::fs::write(run.recipe(), text.replace("lr = 8.0", "lr = 4.0")).unwrap();
    refused(
        go(&digits(), ALL, RunOptions::new(folder.path())),
        &["recipe.toml was changed since", "--again"],
    );
    std::fs::write(run.recipe(), text).unwrap();
    assert!(folder_of(go(&digits(), ALL, RunOptions::new(folder.path()))).1);
    // The folder of a run stands for its recipe.
    assert_eq!(Recipe::load(run.path()).unwrap().hash(), digits().hash());
}

#[test]
fn where_nothing_was_trained_anything_may_begin() {
    let out = tempfile::tempdir().unwrap();
    let dir = RunDir::create(out.path(), "digits", 1, &digits().hash()).unwrap();
    let data = [("digits/digits.csv.gz".to_owned(), "sha256:00".to_owned())].into();
    Provenance::gather(1, "", &[], data).write(&dir.provenance()).unwrap();
    assert_eq!(folder_of(go(&digits(), ALL, RunOptions::new(out.path()))), (dir.clone(), false));
    assert_ne!(Provenance::read(&dir.provenance()).unwrap().data["digits/digits.csv.gz"], "sha256:00");
}

/// Of those who start at once, one makes the run; the others find it being written, or done.
#[test]
fn two_who_start_at_once_never_train_the_same_run() {
    let out = tempfile::tempdir().unwrap();
    let start = std::sync::Barrier::new(4);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let one = || {
            let recipe = digits();
            start.wait();
            go(&recipe, ALL, RunOptions::new(out.path()))
        };
        let all: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(RunDir::list(out.path()).unwrap().runs.len(), 1);
    assert_eq!(outcomes.iter().filter(|o| matches!(o, Ok(Outcome::Finished { .. }))).count(), 1);
    for error in outcomes.iter().filter_map(|o| o.as_ref().err()) {
        assert!(error.to_string().contains("is writing this run"), "{error}");
    }
}
