//! Data sets of one's own by name: what a name means, where it may stand, and what is answered where it means nothing any more.

use bouton::Error;
use bouton::recipe::Recipe;
use bouton::task::{Files, added, checksums, stream};
use std::path::Path;

const NET: &str = "[network]\nlayers = [4, 3, 2]\n[neuron.relu]\n[credit.backprop]\n[optim.sgd]\nlr = 0.1\n";
const PLAIN: &str = "shuffle = false\nbatch = 4\nepochs = 2\n";

/// A table of 12 samples of two classes whose first number is `first`.
fn table(path: &Path, first: f64) {
    let row = |i: u32| {
        format!("{first},{},{},{},{}\n", i * 3 % 7, i * 5 % 11, i % 4, ["no", "yes"][i as usize % 2])
    };
    let rows: String = (0..12).map(row).collect();
    std::fs::write(path, format!("a,b,c,d,kind\n{rows}")).unwrap();
}

/// The files that `[task.files]` with `keys` is about.
fn files(keys: &str) -> Files {
    toml::from_str(&format!("batch = \"all\"\nepochs = 1\n{keys}")).unwrap()
}

/// A data folder with the set `plants`, and its table.
fn plants() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plants.csv");
    table(&path, 0.5);
    let keys = format!("train = {:?}\ntest = 0.5\nlabel = \"kind\"", path.display().to_string());
    let found = added::add("plants", files(&keys), Some(folder.path())).unwrap();
    assert_eq!(found.found.unwrap().to_string(), "6 + 6 samples of 1x1x4 with 2 classes");
    (folder, path)
}

/// The recipe in `folder`, which is the data folder as well.
fn load(folder: &Path, text: &str) -> bouton::Result<Recipe> {
    std::fs::write(folder.join("r.toml"), format!("{text}\n{NET}")).unwrap();
    Recipe::load_in(folder.join("r.toml"), Some(folder))
}

#[test]
fn a_name_is_the_files_that_got_it() {
    let (folder, path) = plants();
    let data = Some(folder.path());
    let named = load(folder.path(), &format!("[task.plants]\n{PLAIN}")).unwrap();
    let plain = format!("[task.files]\ntrain = \"plants.csv\"\ntest = 0.5\nlabel = \"kind\"\n{PLAIN}");
    let plain = load(folder.path(), &plain).unwrap();
    assert_eq!(named.hash(), plain.hash(), "a name is no part of what identifies a recipe");
    assert_eq!(checksums(&named, data).unwrap(), checksums(&plain, data).unwrap());
    let written = Recipe::parse(&named.to_toml(), "written").unwrap();
    assert_eq!(written, named, "a resolved recipe needs no name");
    let longer = named.with_overrides_in(&["task.plants.epochs=3"], data).unwrap();
    assert_eq!((longer.task.shown().epochs, named.task.shown().epochs), (3, 2));
    assert_eq!(named.task.called(), "plants");
    let samples = |recipe: &Recipe| stream::open(recipe, data).map(|all| all.train.updates());
    assert_eq!(samples(&named).unwrap(), samples(&plain).unwrap());
    // The files are what the name was given to, or nothing.
    table(&path, 0.25);
    let error = samples(&named).unwrap_err();
    assert!(
        matches!(error, Error::Data { .. }) && error.to_string().contains("data set `plants`"),
        "{error}"
    );
    assert!(samples(&plain).is_ok(), "files without a name are what they are");
    std::fs::remove_file(&path).unwrap();
    let error = samples(&named).unwrap_err();
    assert!(error.exit_code() == 3 && error.hint().unwrap().contains("bouton data rm plants"), "{error}");
}

#[test]
fn own_sets_follow_one_another() {
    let (folder, _) = plants();
    let (data, other) = (Some(folder.path()), folder.path().join("animals.csv"));
    table(&other, 7.0);
    let keys = format!("train = {:?}\ntest = 0.25\nlabel = \"kind\"", other.display().to_string());
    added::add("animals", files(&keys), data).unwrap();
    let text = |then: &str| format!("[task.plants]\n{PLAIN}[sequence.sets]\nthen = [{then}]");
    let recipe = load(folder.path(), &text("\"animals\"")).unwrap();
    recipe.check().unwrap();
    let open = stream::open(&recipe, data).unwrap();
    assert_eq!(open.tests.len(), 2);
    // 6 of 12 samples are learned from, then 10 of 12 (a share of 0.25 of 6 a class, rounded).
    assert_eq!(open.train.updates(), 2 * 2 + 2 * 2);
    let names: Vec<String> = checksums(&recipe, data).unwrap().files.into_keys().collect();
    assert_eq!(names, ["1/plants.csv", "then-1/1/animals.csv"]);
    assert_eq!(Recipe::parse(&recipe.to_toml(), "written").unwrap(), recipe);
    let refused = |then: &str| {
        let error = load(folder.path(), &text(then)).and_then(|recipe| recipe.check()).unwrap_err();
        format!("{error} / {}", error.hint().unwrap_or_default())
    };
    assert!(refused("\"plants\"").contains("repeats `plants`"));
    assert!(refused("\"anmals\"").contains("or what `bouton data add` named"));
    assert!(refused("\"digits\"").contains("digits has images of [1, 8, 8] and 10 classes, plants has"));
}

#[test]
fn names_hide_nothing_and_are_forgotten() {
    let (folder, path) = plants();
    let data = Some(folder.path());
    let again = |name: &str, test: f64| {
        let keys = format!("train = {:?}\ntest = {test}\nlabel = \"kind\"", path.display().to_string());
        added::add(name, files(&keys), data)
    };
    for name in ["mnist", "files", "Plants", "../x", ""] {
        let error = again(name, 0.5).unwrap_err();
        assert!(error.exit_code() == 2 && error.to_string().contains("cannot be called"), "{error}");
    }
    assert!(again("x", 5.0).unwrap_err().to_string().contains("above 0 and below 1"));
    assert!(again("plants", 0.5).is_ok(), "the same once more");
    assert!(again("plants", 0.25).unwrap_err().to_string().contains("another data set"));
    let names = || {
        added::all(data).unwrap().into_iter().map(|(name, files)| (name, files.is_ok())).collect::<Vec<_>>()
    };
    assert_eq!(names(), [("plants".to_owned(), true)]);
    std::fs::write(folder.path().join("own/broken.toml"), "train = 1").unwrap();
    assert_eq!(names(), [("broken".to_owned(), false), ("plants".to_owned(), true)]);
    for name in ["broken", "plants"] {
        added::remove(name, data).unwrap();
    }
    assert!(names().is_empty() && path.exists());
    assert!(
        added::remove("plants", data).unwrap_err().to_string().contains("no data set `plants` was added")
    );
    let error = load(folder.path(), &format!("[task.plants]\n{PLAIN}")).unwrap_err();
    assert!(error.to_string().contains("unknown name `plants` for `task`"), "{error}");
}
