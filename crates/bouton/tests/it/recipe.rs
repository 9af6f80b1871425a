//! Recipes: what is read, what is refused, and in which words.

use bouton::Error;
use bouton::recipe::{Recipe, describe};

pub const BASE: &str = "\
[task.mnist]
batch = 20
epochs = 2

[network]
layers = [784, 64, 10]

[neuron.settle]

[credit.eq-prop]
beta = 0.5
free-steps = 20
nudged-steps = 4

[optim.sgd]
lr = [0.1, 0.05]
";

pub fn base() -> Recipe {
    Recipe::parse(BASE, "base.toml").unwrap()
}

/// The message and hint of the mistake made by replacing `from` by `to` in the base recipe.
#[track_caller]
fn mistake(from: &str, to: &str) -> (String, String) {
    assert!(BASE.contains(from), "{from}");
    let error = Recipe::parse(&BASE.replace(from, to), "r.toml").unwrap_err();
    assert_eq!(error.exit_code(), 2);
    (error.to_string(), error.hint().unwrap_or_default().to_string())
}

#[track_caller]
pub fn refused(overrides: &[&str]) -> (String, String) {
    let error = base().with_overrides(overrides).and_then(|r| r.check()).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    (error.to_string(), error.hint().unwrap_or_default().to_string())
}

#[track_caller]
pub fn same(got: (String, String), message: &str, hint: &str) {
    assert_eq!((got.0.as_str(), got.1.as_str()), (message, hint));
}

#[test]
fn misspelt_keys_have_a_place_and_the_nearest_name() {
    same(
        mistake("beta = 0.5", "betta = 0.5"),
        "r.toml:11:1: unknown key `credit.eq-prop.betta`",
        "did you mean `beta`?",
    );
    same(
        mistake("[credit.eq-prop]", "[credit.eqprop]"),
        "r.toml:10:9: unknown name `eqprop` for `credit`",
        "did you mean `eq-prop`?",
    );
    same(mistake("[optim.sgd]", "[optmi.sgd]"), "r.toml:15:2: unknown key `optmi`", "did you mean `optim`?");
    same(
        mistake("[neuron.settle]\n", "[neuron.settle]\nactivation = \"hard_sigmoid\"\n"),
        "r.toml:9:14: unknown name `hard_sigmoid` for `neuron.settle.activation`",
        "did you mean `hard-sigmoid`?",
    );
    let (_, hint) = mistake("[optim.sgd]", "[optim.zzz]");
    assert_eq!(hint, "known are `adam`, `adamw`, `sgd`");
}

#[test]
fn all_mistakes_are_told_at_once_the_likeliest_causes_first() {
    // The table that is missing stands at the top of the file, the misspelt ones below it.
    let text = BASE
        .replace("[neuron.settle]\n", "")
        .replace("[optim.sgd]", "[optmi.sgd]")
        .replace("beta = 0.5", "betta = 0.5")
        .replace("epochs = 2", "epochs = 0");
    let error = Recipe::parse(&text, "r.toml").unwrap_err();
    let units: Vec<String> =
        describe::list("neuron").unwrap().iter().map(|unit| format!("`{}`", unit.name)).collect();
    let missing = format!("r.toml:1:1: missing table `[neuron.…]` (neuron can be {})", units.join(", "));
    let lines = [
        "r.toml:10:1: unknown key `credit.eq-prop.betta` (did you mean `beta`?)",
        "r.toml:14:2: unknown key `optmi` (did you mean `optim`?)",
        "r.toml:3:10: `task.mnist.epochs` is 0, but must be from 1 to 10,000,000 (run.updates stops within an epoch)",
        &missing,
    ];
    assert_eq!(error.to_string(), lines.join("\n"));
    assert_eq!((error.exit_code(), error.hint()), (2, None));
    let many = format!("{BASE}\n[run]\n{}", (0..30).map(|i| format!("q{i} = 1\n")).collect::<String>());
    let error = Recipe::parse(&many, "r.toml").unwrap_err().to_string();
    assert!(error.lines().count() == 21 && error.ends_with("\nand 10 more"), "{error}");
}

#[test]
fn a_mistake_within_a_layer_names_the_key() {
    let layers = |layer: &str| {
        let text = format!("[{{ image = [1, 28, 28] }}, {layer}, 10]");
        mistake("[784, 64, 10]", &text)
    };
    same(
        layers("{ filters = 4, kernel = 5, paddding = 2 }"),
        "r.toml:6:63: unknown key `network.layers[1].paddding`",
        "did you mean `padding`?",
    );
    same(
        layers("{ filters = 4 }"),
        "r.toml:6:36: missing key `kernel` in `[network.layers[1]]`",
        "add `kernel = …`: Side of the kernel, or its height and width",
    );
    same(
        layers("{ filters = 4, kernel = 5, padding = -1 }"),
        "r.toml:6:73: `network.layers[1].padding` is -1, but must be from 0 to 1,024",
        "1 keeps the size with a kernel of 3",
    );
    same(
        layers("{ filters = 4, kernel = 5, pool = { max = 0 } }"),
        "r.toml:6:78: `network.layers[1].pool.max` is 0, but must be from 1 to 1,024",
        "2 is usual",
    );
    same(
        mistake("[784, 64, 10]", "[{ imge = [1, 28, 28] }, 64, 10]"),
        "r.toml:6:13: unknown key `network.layers[0].imge`",
        "did you mean `image`?",
    );
}

#[test]
fn numbers_of_a_recipe_built_in_rust_have_the_same_bounds() {
    let said = |change: &dyn Fn(&mut Recipe)| {
        let mut recipe = base();
        change(&mut recipe);
        recipe.check().unwrap_err().to_string()
    };
    let message = said(&|r| r.network.dropout = f64::NAN);
    assert_eq!(message, "`network.dropout` is nan, but must be at least 0 and below 1");
    let message = said(&|r| r.run.log_every = 0);
    assert_eq!(message, "`run.log-every` is 0, but must be from 1 to 1,000,000,000,000");
    let message = said(&|r| r.seed = u64::MAX);
    assert!(message.starts_with("`seed` is 18446744073709551615, but must be from 0 to 9,223,"), "{message}");
}

#[test]
fn wrong_types_say_what_is_expected_and_found() {
    let cases = [
        (
            "beta = 0.5",
            "beta = \"big\"",
            "`credit.eq-prop.beta` must be a number above 0 and at most 1e6, not the text \"big\"",
        ),
        (
            "free-steps = 20",
            "free-steps = 2.5",
            "`credit.eq-prop.free-steps` must be a whole number from 1 to 10,000,000, not 2.5",
        ),
        (
            "free-steps = 20",
            "free-steps = -2",
            "`credit.eq-prop.free-steps` is -2, but must be from 1 to 10,000,000",
        ),
        ("[784, 64, 10]", "[784, -64, 10]", "`network.layers[1]` is -64, but must be from 1 to 67,108,864"),
        (
            "[784, 64, 10]",
            "784",
            "`network.layers` must be a list of whole numbers from 1 to 67,108,864 or tables, not 784",
        ),
        (
            "batch = 20",
            "batch = true",
            "`task.mnist.batch` must be a whole number from 1 to 10,000,000 or `all`, not true",
        ),
        ("batch = 20", "batch = \"al\"", "unknown name `al` for `task.mnist.batch`"),
        ("batch = 20", "batch = -20", "`task.mnist.batch` is -20, but must be from 1 to 10,000,000"),
        (
            "[0.1, 0.05]",
            "[0.1, \"x\"]",
            "`optim.sgd.lr[1]` must be a number from 0 to 1e6, not the text \"x\"",
        ),
        (
            "[0.1, 0.05]",
            "\"x\"",
            "`optim.sgd.lr` must be a number from 0 to 1e6 or a list of them, not the text \"x\"",
        ),
        (
            "epochs = 2",
            "epochs = 99999999999999999999",
            "`task.mnist.epochs` is 99999999999999999999, but must be from 1 to 10,000,000",
        ),
    ];
    for (from, to, message) in cases {
        let (got, _) = mistake(from, to);
        assert!(got.ends_with(&format!(": {message}")), "{got}\n{message}");
    }
}

#[test]
fn missing_and_double_choices() {
    same(
        mistake("beta = 0.5\n", ""),
        "r.toml:10:1: missing key `beta` in `[credit.eq-prop]`",
        "add `beta = …`: Strength β > 0 of the nudge",
    );
    let (message, hint) = mistake("[optim.sgd]\nlr = [0.1, 0.05]\n", "");
    assert_eq!(message, "r.toml:1:1: missing table `[optim.…]`");
    assert_eq!(hint, "optim can be `sgd`, `adam`, `adamw`");
    same(
        mistake("[optim.sgd]\nlr", "[optim.adam]\nlr = 0.1\n[optim.sgd]\nlr"),
        "r.toml:17:8: two choices for `optim`: `adam` and `sgd`",
        "keep one of `[optim.adam]` and `[optim.sgd]`",
    );
    let mut rules: Vec<String> =
        describe::list("credit").unwrap().iter().map(|rule| format!("`{}`", rule.name)).collect();
    rules.sort();
    same(
        mistake("[credit.eq-prop]", "[credit]"),
        "r.toml:11:1: unknown name `beta` for `credit`",
        &format!("known are {}", rules.join(", ")),
    );
}

#[test]
fn syntax_errors_have_a_place() {
    let (message, _) = mistake("beta = 0.5", "beta = 0.5.5");
    assert!(message.starts_with("r.toml:11:") && message.contains("not valid TOML"), "{message}");
    let (message, _) = mistake("beta = 0.5", "beta = 0.5\nbeta = 1");
    assert!(message.starts_with("r.toml:12:1: not valid TOML: duplicate key"), "{message}");
}

#[test]
fn files_that_are_not_recipes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r.toml");
    std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    assert!(Recipe::load(&path).unwrap_err().to_string().ends_with("r.toml: not a text file"));
    let error = Recipe::load(dir.path().join("r")).unwrap_err();
    assert!(error.hint().unwrap().ends_with("r.toml`?"));
    assert!(Recipe::load(dir.path()).unwrap_err().hint().is_some());
    std::fs::write(&path, BASE).unwrap();
    assert_eq!(Recipe::load(&path).unwrap().name, "r");
}

#[test]
fn the_resolved_recipe_is_the_same_recipe() {
    for overrides in [
        vec![],
        vec!["task.mnist.train=100", "run.updates=5", "solver.even-odd.tolerance=1e-4"],
        vec!["schedule.cosine.epochs=3", "network.skips=[{from=1, to=2}]", "task.mnist.batch=all"],
    ] {
        let recipe = base().with_overrides(&overrides).unwrap();
        let text = recipe.to_toml();
        assert_eq!(Recipe::parse(&text, "resolved").unwrap(), recipe, "{text}");
    }
    assert!(base().to_toml().contains("nudge = \"symmetric\""));
}

#[test]
fn numbers_that_cannot_be_meant() {
    let positive = "above 0 and at most 1e6";
    let bounds = [
        ("credit.eq-prop.beta", "0", positive),
        ("credit.eq-prop.beta", "-0.5", positive),
        ("credit.eq-prop.beta", "-0.0", positive),
        ("credit.eq-prop.beta", "nan", positive),
        ("credit.eq-prop.beta", "inf", positive),
        ("credit.eq-prop.beta", "1e-60", positive),
        ("credit.eq-prop.nudged-steps", "0", "from 1 to 10,000,000"),
        ("optim.sgd.lr", "-1", "from 0 to 1e6"),
        ("optim.sgd.lr", "inf", "from 0 to 1e6"),
        ("optim.sgd.momentum", "1", "at least 0 and below 1"),
        ("task.mnist.batch", "0", "from 1 to 10,000,000"),
        // So many epochs wrapped around 2^64 updates.
        ("task.mnist.epochs", "245956587649460689", "from 1 to 10,000,000"),
        ("task.mnist.train", "0", "from 1 to 10,000,000"),
        ("solver.even-odd.relaxation", "2", "above 0 and below 2"),
        ("solver.synchronous.tolerance", "0", positive),
        ("neuron.settle.dt", "1.5", "above 0 and at most 1"),
        ("run.log-every", "0", "from 1 to 1,000,000,000,000"),
        ("sequence.permuted.tasks", "2147483648", "from 1 to 100,000"),
        ("credit.holomorphic-eq-prop.points", "9007199254740992", "from 1 to 1,024"),
        ("credit.holomorphic-eq-prop.periods", "9223372036854775807", "from 1 to 100,000"),
        ("continual.replay.batch", "9223372036854775807", "from 1 to 1,000,000"),
    ];
    for (key, value, need) in bounds {
        let one = format!("{key}={value}");
        let (got, hint) = refused(&[&one]);
        assert_eq!(got, format!("override `{one}`: `{key}` is {value}, but must be {need}"));
        assert!(!hint.is_empty(), "{one}");
    }
    let (got, _) = refused(&["wiring.dense.gain=[1, 0]"]);
    assert!(got.ends_with(": `wiring.dense.gain[1]` is 0, but must be above 0 and at most 1e6"), "{got}");
    let (got, hint) = refused(&["run.updates=1e3"]);
    assert!(
        got.ends_with("`run.updates` must be a whole number from 1 to 1,000,000,000,000, not 1e3"),
        "{got}"
    );
    assert_eq!(hint, "write 1000, without a point or an exponent");
    let cases = [
        ("optim.sgd.lr=[0.1]", "`optim.sgd.lr` lists 1 values, but the network has 2 connections"),
        (
            "task.mnist.train=60001",
            "`task.mnist.train` is 60001, but must be from 1 to 60000, the samples of mnist",
        ),
        ("task.mnist.shift=28", "`task.mnist.shift` is 28, but must be smaller than the image"),
        ("network.layers=[784]", "network.layers has 1 entries, but needs input and output"),
        ("network.layers=[700, 64, 10]", "network.layers starts with 700, but mnist images have 784 pixels"),
        ("network.layers=[784, 64, 9]", "network.layers ends with 9, but mnist has 10 classes"),
        ("network.skips=[{from=1, to=3}]", "network.skips[0] ends at layer 3, but the last is 2"),
        ("network.skips=[{from=1, to=2}]", "network.skips[0] joins layers of 64 and 10 units"),
        ("name=../x", "`name` is \"../x\", but must be at most 100 letters, digits, `-`, `_`, `+` and dots"),
    ];
    for (one, message) in cases {
        let (got, hint) = refused(&[one]);
        assert_eq!(got, message);
        assert!(!hint.is_empty(), "{one}");
    }
    let (message, _) = refused(&["credit.bptt={steps=5, truncate=6}"]);
    assert_eq!(message, "`credit.bptt.truncate` is 6, but must be from 1 to steps = 5");
}

#[test]
fn choices_that_clash_are_refused_with_the_alternative() {
    let cases: [(&[&str], &str); 17] = [
        (&["sequence.subsets.parts=2", "continual.scenario=class"], "the parts of sequence.subsets"),
        (&["credit=backprop"], "backprop needs a feed-forward network"),
        (&["neuron=relu"], "eq-prop needs units that settle"),
        (&["solver=even-odd", "neuron.settle.dynamics=energy"], "solver.even-odd minimises exactly"),
        (
            &[
                "solver=anderson",
                "network.layers=[784, 9, 9, 9, 10]",
                "network.skips=[{from=1, to=3}]",
                "optim.sgd.lr=1",
            ],
            "solver.anderson moves two groups, but a skip joins layers 1 and 3",
        ),
        (&["solver=anderson", "neuron.settle.activation=d-silu"], "d-silu has no energy in closed form"),
        (&["solver=anderson", "neuron.settle.noise=0.1"], "noisy units have no energy"),
        (&["solver=anderson", "wiring.dense.feedback=vector-field"], "feedback weights of their own"),
        (&["solver=anderson", "credit.bptt={steps=9}"], "bptt goes through plain sweeps"),
        (&["neuron.settle.nudge=outside", "objective=softmax-cross-entropy"], "nudge = \"outside\" adds"),
        (&["neuron.settle.activation=linear"], "linear hidden units are unbounded"),
        (
            &[
                "credit.contrastive-learning={free-steps=9, nudged-steps=3}",
                "objective=softmax-cross-entropy",
            ],
            "contrastive-learning clamps the output",
        ),
        (&["credit.eq-prop.start=persistent", "task.mnist.shift=2"], "start = \"persistent\" keeps a state"),
        (&["credit.bptt.steps=9", "wiring.dense.feedback=kolen-pollack"], "feedback = \"kolen-pollack\""),
        (&["credit.bptt.steps=9", "solver.synchronous.tolerance=1e-3"], "bptt takes a fixed number of steps"),
        (
            &["credit.continual-eq-prop={beta=0.5, nudge=\"symmetric\", free-steps=9, nudged-steps=3}"],
            "continual-eq-prop moves the weights",
        ),
        (
            &["objective=softmax-cross-entropy", "network.layers=[784, 10]", "optim.sgd.lr=1"],
            "softmax-cross-entropy reads",
        ),
    ];
    for (overrides, start) in cases {
        let error = base().with_overrides(overrides).and_then(|r| r.check()).unwrap_err();
        assert!(matches!(error, Error::Incompatible { .. }), "{error}");
        assert!(error.to_string().starts_with(start), "{error}");
        assert!(!error.hint().unwrap().is_empty());
    }
    let skip = [
        "solver=even-odd",
        "network.layers=[784, 9, 9, 9, 10]",
        "network.skips=[{from=1, to=3}]",
        "optim.sgd.lr=1",
    ];
    base().with_overrides(&skip).unwrap().check().unwrap();
}

#[test]
fn sequences_that_cannot_be_meant_are_refused() {
    let cases: [(&[&str], &str); 6] = [
        (&["sequence.rotated.degrees=[0, 45, 45]"], "sequence.rotated.degrees repeats 45:"),
        (&["sequence.rotated.degrees=[-90, 0, 270]"], "sequence.rotated.degrees repeats 270:"),
        (
            &["anchor.si.c=1", "sequence.permuted.tasks=1"],
            "si holds what earlier tasks needed, but there is one",
        ),
        (&["anchor.si.c=1", "sequence.rotated.degrees=[30]"], "si holds what earlier tasks needed"),
        (
            &["sequence.sets.then=[\"svhn\"]", "task.mnist.size=32", "network.layers=[1024, 64, 10]"],
            "svhn has images of [3, 32, 32] and 10 classes, mnist has [1, 32, 32] and 10",
        ),
        (
            &[
                "sequence.sets.then=[\"mnist\"]",
                "task.digits={batch=10, epochs=1, size=16}",
                "network.layers=[256, 64, 10]",
            ],
            "mnist has images of [1, 28, 28] and 10 classes, digits has [1, 16, 16] and 10",
        ),
    ];
    for (overrides, start) in cases {
        let (message, hint) = refused(overrides);
        assert!(message.starts_with(start), "{message}");
        assert!(!hint.is_empty(), "{message}");
    }
    let sound: [&[&str]; 3] = [
        &["sequence.rotated.degrees=[0, 45, -45]"],
        &["anchor.si.c=1", "sequence.rotated.degrees=[0, 30]"],
        &["sequence.sets.then=[\"kmnist\"]", "task.mnist.size=32", "network.layers=[1024, 64, 10]"],
    ];
    for overrides in sound {
        base().with_overrides(overrides).unwrap().check().unwrap();
    }
}

#[test]
fn the_hash_knows_the_content_and_not_the_name() {
    let hash = base().hash();
    assert_eq!(hash.len(), 64);
    assert_eq!(hash, base().with_overrides(&["name=x", "about=y"]).unwrap().hash());
    assert_ne!(hash, base().with_overrides(&["seed=2"]).unwrap().hash());
    let expand_signs = base().with_overrides(&["credit.eq-prop.nudge=symmetric"]).unwrap();
    assert_eq!(hash, expand_signs.hash(), "a default spelled out is the same recipe");
}

#[test]
fn the_smoke_version_is_small_and_valid() {
    let recipe = base().with_overrides(&["credit.bptt={steps=30, truncate=9}"]).unwrap().smoke();
    recipe.check().unwrap();
    let text = recipe.to_toml();
    for line in ["steps = 3", "truncate = 3", "batch = 2", "updates = 2", "shape = [1, 28, 28]"] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn every_recipe_in_the_repository_is_valid() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../recipes");
    let mut folders = vec![std::path::PathBuf::from(root)];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "toml")
                && !["claims.toml", "sweep.toml"]
                    .map(std::ffi::OsStr::new)
                    .contains(&path.file_name().unwrap())
            {
                let recipe = Recipe::load(&path).unwrap_or_else(|e| panic!("{e}"));
                recipe.check().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                recipe.smoke().check().unwrap();
                seen += 1;
            }
        }
    }
    assert!(seen > 0);
}

#[test]
fn normalisations_that_leave_nothing_to_learn_are_refused() {
    let text = "[task.digits]\nbatch = 2\nepochs = 1\n[network]\nlayers = [64, 3, 10]\n[neuron.relu]\n[credit.backprop]\n\
        [objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.1\n";
    for (norm, good, bad, start) in [
        ("norm=batch", "task.digits.batch=2", "task.digits.batch=1", "norm.batch takes mean and variance"),
        (
            "norm=layer",
            "network.layers=[64,3,10]",
            "network.layers=[64,2,10]",
            "[norm.layer] on a layer of 2",
        ),
    ] {
        let with = |change| {
            let recipe = Recipe::parse(text, "small.toml").unwrap();
            recipe.with_overrides(&[norm, change]).and_then(|r| r.check())
        };
        with(good).unwrap();
        let error = with(bad).unwrap_err();
        assert!(error.to_string().contains(start) && error.hint().is_some(), "{error}");
    }
}
