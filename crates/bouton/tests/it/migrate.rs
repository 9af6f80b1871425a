//! Recipes, overrides and folders of runs from before some keys were renamed.

use bouton::recipe::Recipe;
use bouton::train::{Outcome, Profile, RunDir, RunOptions, Silent, run};

/// A small recipe of binary weights over two tasks, and one that settles.
const TASKS: &str = "[task.synthetic]\nshape = [1, 2, 2]\nclasses = 2\ntrain = 8\ntest = 4\nbatch = 4\nepochs = 1\n\
    [network]\nlayers = [4, 5, 2]\n[neuron.sign]\n[synapse.metaplastic]\nm = 1.0\n\
    [objective.softmax-cross-entropy]\n[credit.backprop]\n[optim.sgd]\nlr = 0.1\n\
    [sequence.permuted]\ntasks = 2\n";
const SETTLING: &str = "[task.synthetic]\nshape = [1, 2, 2]\nclasses = 2\ntrain = 8\ntest = 4\nbatch = 4\nepochs = 1\n\
    [network]\nlayers = [4, 5, 2]\n[neuron.settle]\n[credit.eq-prop]\nbeta = 0.5\nfree-steps = 4\nnudged-steps = 2\n\
    [optim.sgd]\nlr = 0.1\n";

/// A recipe, the table of a key, its names before and now, and a value.
const KEYS: [(&str, &str, &str, &str, &str); 3] = [
    (TASKS, "run", "turn-draws", "flip-samples", "3"),
    (TASKS, "continual", "interleaved", "joint", "true"),
    (SETTLING, "solver.anderson", "memory", "history", "3"),
];

fn parsed(text: &str) -> Recipe {
    Recipe::parse(text, "test").unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn old_keys_are_read_as_the_new_ones() {
    for (base, table, old, new, value) in KEYS {
        let with = |key: &str| parsed(&format!("{base}[{table}]\n{key} = {value}\n"));
        let recipe = with(new);
        assert_eq!(with(old), recipe);
        assert_ne!(parsed(base), recipe);
        let (last, path) = (table.rsplit('.').next().unwrap(), table.replace('.', " = { "));
        let close = if last == table { "" } else { " }" };
        let inline = format!("{path} = {{ {old} = {value} }}{close}\n{base}");
        assert_eq!(parsed(&inline), recipe, "{inline}");
        assert!(recipe.to_toml().contains(&format!("\n{new} = {value}\n")), "what is written has new names");
    }
}

#[test]
fn old_overrides_are_those_of_the_new_keys() {
    for (base, table, old, new, value) in KEYS {
        let with = |key: &str| parsed(base).with_overrides(&[format!("{table}.{key}={value}")]).unwrap();
        assert_eq!(with(old), with(new));
        let [one, other] = [old, new].map(|key| with(new).without(&format!("{table}.{key}")).unwrap());
        assert_eq!(one, other);
        assert_ne!(one, with(new));
    }
}

#[test]
fn both_names_of_a_key_are_refused_with_place_and_hint() {
    for (base, table, old, new, value) in KEYS {
        let text = format!("{base}[{table}]\n{new} = {value}\n{old} = {value}\n");
        let error = Recipe::parse(&text, "both.toml").unwrap_err();
        let line = text.lines().count();
        let message = format!("both.toml:{line}:1: `{table}.{old}` and `{table}.{new}` are one key");
        assert_eq!(error.to_string(), message);
        assert_eq!(error.hint(), Some(&*format!("leave `{old}` out: it is the old name of `{new}`")));
    }
}

/// Whatever a key is called, a recipe stays the one that it was: these are the hashes of runs from before keys were renamed.
#[test]
fn a_recipe_is_known_by_its_first_names() {
    let hashes = ["efdc76ee7f8d7bba", "63353e1df8ebe696", "09ccf625de3f0b7a"];
    for ((base, table, old, new, value), before) in KEYS.into_iter().zip(hashes) {
        for key in [old, new] {
            let hash = parsed(&format!("{base}[{table}]\n{key} = {value}\n")).hash();
            assert_eq!(&hash[..16], before, "{table}.{key}");
        }
    }
}

/// A finished run of a recipe with old names, as it lies in a folder.
#[test]
fn the_folder_of_an_old_run_is_known() {
    let out = tempfile::tempdir().unwrap();
    let recipe = parsed(&format!("name = \"a\"\n{TASKS}[continual]\njoint = true\n"));
    let go = || run(&recipe, &RunOptions::new(out.path()), &mut Silent).unwrap();
    let Outcome::Finished { run: folder, .. } = go() else { panic!("nothing was there") };
    let file = folder.join("recipe.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("\njoint = true\n"));
    std::fs::write(&file, text.replace("\njoint = true\n", "\ninterleaved = true\n")).unwrap();
    assert_eq!(Recipe::load(&folder).unwrap(), recipe);
    assert_eq!(Recipe::load(&file).unwrap().hash(), recipe.hash());
    let Outcome::AlreadyDone { run: again } = go() else { panic!("it is done") };
    assert_eq!(again, folder);
    assert!(RunDir::open(&folder).unwrap().status().is_ok());
}

/// What flipping weights cost, under the name that it had.
#[test]
fn old_costs_of_flips_are_read() {
    let text = |key: &str| {
        format!(
            "{{\"connection\":\"a-b\",\"largest\":1.0,\"weights\":[2],\"importance\":[0.5],\"{key}\":[0.25]}}"
        )
    };
    let of = |key: &str| serde_json::from_str::<Profile>(&text(key)).unwrap();
    assert_eq!(of("turned"), of("flip-cost"));
    assert_eq!(of("turned").flip_cost, [Some(0.25)]);
}
