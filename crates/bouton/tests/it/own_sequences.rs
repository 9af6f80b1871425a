//! Sequences in tables of one's own: what is read of a small one, the same as arrays with lengths, and every refusal with its place.

use bouton::Error;
use bouton::recipe::Recipe;
use bouton::task::npy::{Array, Values};
use bouton::task::{Dataset, TaskSpec, npz};
use std::path::Path;

/// Rows of three sequences among each other, of 3, 1 and 2 steps.
const ROWS: [&str; 6] =
    ["a,0,1,10,x", "b,5,2,20,y", "a,1,3,30,x", "c,-2,4,40,y", "a,2.5,5,50,x", "c,-1,6,60,y"];
const BY_TIME: &str = "sequence = { id = \"who\", time = \"t\" }";
const BY_STEP: &str = "sequence = { id = \"who\", step = \"t\" }";

fn table(rows: &[&str]) -> String {
    format!("who,t,u,v,label\n{}\n", rows.join("\n"))
}

/// A recipe about files in `folder`: a spiking network, or `rest`.
pub fn load(folder: &Path, keys: &str, layers: &str) -> bouton::Result<Recipe> {
    let text = format!(
        "[task.files]\nbatch = 2\nepochs = 1\n{keys}\n[network]\nlayers = {layers}\n[neuron.lif]\n[credit.bptt]\n\
         [objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.1\n"
    );
    std::fs::write(folder.join("r.toml"), text).unwrap();
    let recipe = Recipe::load(folder.join("r.toml"))?;
    recipe.check()?;
    Ok(recipe)
}

/// Training and test samples as they are read.
pub fn sets(recipe: &Recipe) -> [Dataset; 2] {
    let loaded = recipe.task.method().load(None).unwrap();
    [loaded.train, loaded.test]
}

/// Inputs of every sample, bit by bit.
pub fn numbers(set: &Dataset) -> Vec<Vec<f32>> {
    (0..set.len()).map(|i| set.numbers(i).unwrap().into_owned()).collect()
}

fn refused(folder: &Path, rows: &[&str], keys: &str) -> String {
    std::fs::write(folder.join("own.csv"), table(rows)).unwrap();
    let keys = format!("train = \"own.csv\"\ntest = \"own.csv\"\n{keys}");
    let error = load(folder, &keys, "[2, 5, 2]").expect_err(&keys);
    assert!(matches!(error, Error::Data { .. } | Error::Config { .. }), "{error:?}");
    format!("{error} / {}", error.hint().unwrap_or_default())
}

#[test]
fn rows_are_the_steps_of_their_sequence() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.csv"), table(&ROWS)).unwrap();
    // A longer one in the other file: both are as long as the longest of all.
    std::fs::write(
        folder.path().join("test.csv"),
        table(&["p,1,7,70,y", "p,2,8,80,y", "p,3,9,90,y", "p,4,1,1,y"]),
    )
    .unwrap();
    let keys = format!("train = \"own.csv\"\ntest = \"test.csv\"\n{BY_TIME}");
    let recipe = load(folder.path(), &keys, "[2, 5, 2]").unwrap();
    assert_eq!(recipe.task.shape(), ([1, 4, 2], 2));
    assert_eq!(
        (recipe.task.method().steps(), recipe.task.method().beside()),
        (4, &["lengths".to_owned()][..])
    );
    let [train, test] = sets(&recipe);
    let wanted = [
        [1.0, 10.0, 3.0, 30.0, 5.0, 50.0, 0.0, 0.0],
        [2.0, 20.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [4.0, 40.0, 6.0, 60.0, 0.0, 0.0, 0.0, 0.0],
    ];
    assert_eq!(numbers(&train), wanted);
    assert_eq!((train.labels(), test.labels()), (&[0, 1, 1][..], &[1][..]));
    let lengths = |set: &Dataset| (set.spans().unwrap().lengths.clone(), set.spans().unwrap().steps);
    assert_eq!((lengths(&train), lengths(&test)), ((vec![3, 1, 2], 4), (vec![4], 4)));
}

#[test]
fn a_table_of_sequences_is_the_same_as_arrays_with_lengths() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.csv"), table(&ROWS)).unwrap();
    let x = [
        [1.0, 10.0, 3.0, 30.0, 5.0, 50.0],
        [2.0, 20.0, 0.0, 0.0, 0.0, 0.0],
        [4.0, 40.0, 6.0, 60.0, 0.0, 0.0],
    ];
    let whole = |values: &[i64]| Array { shape: vec![3], values: Values::Integers(values.to_vec()) };
    let arrays = [
        ("X", Array { shape: vec![3, 3, 2], values: Values::Floats(x.concat()) }),
        ("y", Array { shape: vec![3], values: Values::Words(["x", "y", "y"].map(String::from).to_vec()) }),
        ("lengths", whole(&[3, 1, 2])),
    ];
    npz::write(&folder.path().join("own.npz"), &arrays).unwrap();
    let of = |file: &str, more: &str| {
        let keys = format!("train = \"{file}\"\ntest = \"{file}\"\n{more}");
        let recipe = load(folder.path(), &keys, "[2, 5, 2]").unwrap();
        let [set, _] = sets(&recipe);
        (numbers(&set), set.labels().to_vec(), set.spans().cloned(), recipe.task.shape())
    };
    assert_eq!(of("own.csv", BY_TIME), of("own.npz", ""));
}

#[test]
fn targets_are_one_row_a_sequence_and_columns_may_do_without_names() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.csv"), "1,0,5,0.5\n1,1,6,0.5\n2,0,7,0.25\n").unwrap();
    let text = "[files]\ntrain = \"own.csv\"\ntest = \"own.csv\"\nbatch = 1\nepochs = 1\nheader = false\n\
                targets = [\"4\"]\nsequence = { id = \"1\", step = \"2\" }\n";
    let mut task: TaskSpec = toml::from_str(text).unwrap();
    task.method_mut().look(folder.path()).unwrap();
    assert_eq!(task.shape(), ([1, 2, 1], 1));
    let set = task.method().load(None).unwrap().train;
    assert_eq!(numbers(&set), [[5.0, 6.0], [7.0, 0.0]]);
}

#[test]
fn what_is_no_sequence_is_refused_with_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let with = |line: usize, row: &'static str| {
        let mut rows = ROWS.to_vec();
        rows[line - 2] = row;
        rows
    };
    let cases = [
        (
            with(4, "a,0,3,30,x"),
            BY_TIME,
            "line 4, column `t`: 0 after 0 of line 2 in sequence `a` is twice",
            "doubles",
        ),
        (
            with(4, "a,-1,3,30,x"),
            BY_TIME,
            "line 4, column `t`: -1 after 0 of line 2 in sequence `a` is not",
            "sort",
        ),
        (ROWS.to_vec(), BY_STEP, "line 6, column `t`: `2.5` is no number", "steps are whole numbers"),
        (with(6, "a,3,5,50,x"), BY_STEP, "line 6, column `t`: 3 after 1 of line 4", "count by one"),
        (with(6, "a,nan,5,50,x"), BY_TIME, "line 6, column `t`: the value is missing", "fill it in"),
        (with(6, "a,soon,5,50,x"), BY_TIME, "line 6, column `t`: `soon` is no number", "in any unit"),
        (with(6, "a,inf,5,50,x"), BY_TIME, "line 6, column `t`: `inf` is no number", "in any unit"),
        (with(5, ",-2,4,40,y"), BY_TIME, "line 5, column `who`: the value is missing", "fill it in"),
        (with(5, "c,-2,,40,y"), BY_TIME, "line 5, column `u`: the value is missing", "fill it in"),
        (with(5, "c,-2,4,NaN,y"), BY_TIME, "line 5, column `v`: the value is missing", "fill it in"),
        (
            with(7, "c,-1,6,60,x"),
            BY_TIME,
            "line 7: the answer of sequence `c` is not that of line 5",
            "one label",
        ),
        (ROWS.to_vec(), "sequence = { id = \"who\" }", "needs either `time` or `step`", "rise"),
        (
            ROWS.to_vec(),
            "sequence = { id = \"who\", time = \"t\", step = \"u\" }",
            "needs either `time` or `step`",
            "rise",
        ),
        (
            ROWS.to_vec(),
            "sequence = { id = \"x\", time = \"t\" }",
            "sequence.id names column `x`",
            "`who`, `t`",
        ),
        (
            ROWS.to_vec(),
            "sequence = { id = \"who\", time = \"x\" }",
            "sequence.time names column `x`",
            "`who`",
        ),
        (ROWS.to_vec(), "sequence = { id = \"t\", time = \"t\" }", "names one column twice", "`id` is"),
        (
            ROWS.to_vec(),
            "sequence = { id = \"label\", time = \"t\" }",
            "column `label` is named by task.files.sequence",
            "three different",
        ),
    ];
    for (rows, keys, words, hint) in cases {
        let said = refused(folder.path(), &rows, keys);
        assert!(said.contains(words) && said.contains(hint), "{words}:\n{said}");
    }
}

#[test]
fn columns_of_what_is_no_table_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let array = Array { shape: vec![2, 2, 2], values: Values::Floats(vec![0.0; 8]) };
    npz::write(&folder.path().join("own.npz"), &[("X", array)]).unwrap();
    std::fs::create_dir(folder.path().join("photos")).unwrap();
    for file in ["own.npz", "photos"] {
        let keys = format!("train = \"{file}\"\ntest = 0.5\n{BY_TIME}");
        let error = load(folder.path(), &keys, "[2, 5, 2]").unwrap_err();
        assert!(error.to_string().contains("task.files.sequence goes with a table as text"), "{error}");
    }
}
