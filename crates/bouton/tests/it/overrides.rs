//! `key=value` overrides: what they change, what they refuse, and in which words.

use crate::recipe::{base, refused, same};
use bouton::recipe::Recipe;

#[test]
fn overrides_keep_types_and_know_absent_keys() {
    let recipe = base()
        .with_overrides(&[
            "credit.eq-prop.beta=1",
            "task.mnist.train=1000",
            "seed = 7",
            "name=2026",
            "about=a=b",
        ])
        .unwrap();
    let text = recipe.to_toml();
    for line in ["beta = 1.0", "train = 1000", "seed = 7", "name = \"2026\"", "about = \"a=b\""] {
        assert!(text.contains(line), "{line} in {text}");
    }
    same(
        refused(&["credit.eq-prop.betta=1"]),
        "override `credit.eq-prop.betta=1`: unknown key `credit.eq-prop.betta`",
        "did you mean `beta`?",
    );
    same(refused(&["optm.lr=1"]), "override `optm.lr=1`: unknown key `optm`", "did you mean `optim`?");
    let (message, _) = refused(&["credit.eq-prop.free-steps=2.5"]);
    assert!(
        message.ends_with("`credit.eq-prop.free-steps` must be a whole number from 1 to 10,000,000, not 2.5")
    );
    same(refused(&["seed"]), "override `seed`: not of the form key=value", "for example `seed=2`");
    let (message, _) = refused(&["network.layers.1=3"]);
    assert!(
        message.ends_with(
            "`network.layers` is a list of whole numbers from 1 to 67,108,864 or tables and has no keys"
        ),
        "{message}"
    );
}

#[test]
fn naming_another_member_replaces_the_table() {
    let swapped = base().with_overrides(&["solver.even-odd.relaxation=1.2", "optim.adam.lr=1e-3"]).unwrap();
    let text = swapped.to_toml();
    assert!(text.contains("[solver.even-odd]\nrelaxation = 1.2"), "{text}");
    assert!(text.contains("[optim.adam]\nlr = 0.001") && !text.contains("sgd"), "{text}");
    let words = base().with_overrides(&["neuron=relu", "credit=backprop", "optim=sgd"]).unwrap();
    let quoted = ["neuron=\"relu\"", "credit=\"backprop\"", "optim=\"sgd\""];
    assert_eq!(base().with_overrides(&quoted).unwrap(), words, "as Python writes them");
    assert!(words.to_toml().contains("lr = [0.1, 0.05]"), "naming the present member keeps its settings");
    words.check().unwrap();
    let (message, hint) = refused(&["optim.adam.beta1=0.8"]);
    assert_eq!(message, "recipe with overrides: missing key `lr` in `[optim.adam]`");
    assert!(hint.starts_with("add `lr = …`"), "{hint}");
    let (_, hint) = refused(&["wiring.lattice.x=1"]);
    assert_eq!(hint, "known are `conductance`, `conv`, `dense`, `procedural`, `sparse`");
}

#[test]
fn all_wrong_overrides_are_told_at_once() {
    same(
        refused(&["seed=2", "credit.eq-prop.betta=1", "tusk=3", "seed=x"]),
        "override `credit.eq-prop.betta=1`: unknown key `credit.eq-prop.betta` (did you mean `beta`?)\n\
         override `tusk=3`: unknown key `tusk` (did you mean `task`?)\n\
         override `seed=x`: `seed` must be a whole number from 0 to 9,223,372,036,854,775,807, \
         not the text \"x\"",
        "",
    );
}

#[test]
fn a_device_file_at_fault_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let device = folder.path().join("device.toml");
    std::fs::write(&device, "name = \"mine\"\n").unwrap();
    let recipe = folder.path().join("r.toml");
    let text = base().to_toml() + "[synapse.rram]\ndevice = \"device.toml\"\n";
    std::fs::write(&recipe, text.replace("[synapse.plain]\n", "")).unwrap();
    let error = Recipe::load(&recipe).unwrap_err().to_string();
    assert!(error.contains(&format!("{}: device preset: ", device.display())), "{error}");
}

/// What a recipe's files cannot be read by may be told on the command line: they are looked into with all overrides.
#[test]
fn overrides_tell_how_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..20).map(|i| format!("{}.5,{},{}\n", i, i % 7, ["ash", "oak"][i % 2])).collect();
    std::fs::write(folder.path().join("trees.csv"), format!("height,width,kind\n{rows}")).unwrap();
    let path = folder.path().join("trees.toml");
    let text = "[task.files]\ntrain = \"trees.csv\"\ntest = 0.2\nbatch = 4\nepochs = 1\n[network]\nlayers = [2, 4, 2]\n\
                [neuron.relu]\n[credit.backprop]\n[optim.sgd]\nlr = 0.1\n";
    std::fs::write(&path, text).unwrap();
    assert!(Recipe::load(&path).unwrap_err().hint().unwrap().contains("task.files.label"));
    let unread = Recipe::load_for_overrides(&path, None).unwrap();
    let recipe = unread.with_overrides_in(&["task.files.label=kind"], None).unwrap();
    recipe.check().unwrap();
    assert_eq!(recipe.task.method().names(), ["ash", "oak"]);
    assert!(unread.with_overrides_in::<&str>(&[], None).is_err(), "without any they are looked into, too");
}
