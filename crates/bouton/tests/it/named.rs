//! Populations and connections by name: what is read, what is refused, and in which words.

use crate::recipe::{BASE, base, refused, same};
use bouton::recipe::{Recipe, describe};
use bouton::{Error, Result};

const ENTRIES: &str = "\
[population.hidden1]
dropout = 0.25
neuron.settle.nudge = \"outside\"
norm.layer = {}
[population.context]
units = 30
neuron = { adaptive = { strength = 0.5 } }
[connection.input-hidden1]
synapse.metaplastic = { m = 1.5 }
lr = 0.01
[connection.context-hidden1]
from = \"context\"
to = \"hidden1\"
learn = false
wiring.dense.gain = 0.5
[connection.input-context]
from = \"input\"
to = \"context\"
";

/// The base recipe below `entries`.
fn read(entries: &str) -> Result<Recipe> {
    Recipe::parse(&format!("{entries}{BASE}"), "r.toml")
}

fn words(error: &Error) -> (String, String) {
    assert_eq!(error.exit_code(), 2);
    (error.to_string(), error.hint().unwrap_or_default().to_owned())
}

/// The message and hint of what is wrong with `entries`, wherever that is noticed.
#[track_caller]
fn mistake(entries: &str) -> (String, String) {
    words(&read(entries).and_then(|recipe| recipe.validate()).unwrap_err())
}

#[test]
fn entries_go_through_toml_and_count() {
    let recipe = read(ENTRIES).unwrap();
    recipe.validate().unwrap();
    let hidden = &recipe.population["hidden1"];
    assert_eq!((hidden.dropout, hidden.units, hidden.norm.is_some()), (Some(0.25), None, true));
    assert_eq!(recipe.population["context"].units, Some(30));
    let [first, beside] = ["input-hidden1", "context-hidden1"].map(|name| &recipe.connection[name]);
    assert_eq!((first.lr, first.learn, first.wiring.is_none()), (Some(0.01), true, true));
    assert_eq!((beside.from.as_deref(), beside.learn), (Some("context"), false));
    assert_eq!(Recipe::parse(&recipe.to_toml(), "written").unwrap(), recipe);
    assert_eq!(recipe.smoke().population, recipe.population);
    assert_ne!(recipe.hash(), base().hash());
    assert!(!base().to_toml().contains("population"));
}

#[test]
fn a_mistake_within_an_entry_has_its_place() {
    same(
        mistake("[population.hidden1]\nunit = 3\n"),
        "r.toml:2:1: unknown key `population.hidden1.unit`",
        "did you mean `units`?",
    );
    same(
        mistake("[connection.a-b]\nsynapse.metaplstic.m = 1.0\n"),
        "r.toml:2:9: unknown name `metaplstic` for `connection.a-b.synapse`",
        "did you mean `metaplastic`?",
    );
    same(
        mistake("[connection.a-b]\nlearn = 1\n"),
        "r.toml:2:9: `connection.a-b.learn` must be true or false, not 1",
        "",
    );
    same(
        mistake("[population]\nhidden1 = 30\n"),
        "r.toml:2:11: `population.hidden1` must be a table, not 30",
        "",
    );
    same(
        mistake("population = 30\n"),
        "r.toml:1:14: `population` must be a table of named tables, not 30",
        "",
    );
    same(
        mistake("[population.context]\nunits = 0\n"),
        "r.toml:2:9: `population.context.units` is 0, but must be from 1 to 67,108,864",
        "leave it out for populations of the chain",
    );
    same(
        mistake("[connection.a-b.synapse.mesu]\nclip = 0\n"),
        "r.toml:2:8: `connection.a-b.synapse.mesu.clip` is 0, but must be above 0 and at most 1e6",
        "0.36 is usual",
    );
}

#[test]
fn names_are_small_words_that_nothing_else_has() {
    let plain = "any name of small letters, digits and `-`, a letter first, at most 64 characters";
    same(
        mistake("[population.Hidden1]\nunit = 3\n"),
        "r.toml:1:13: `population.Hidden1` cannot be called so",
        plain,
    );
    same(mistake("[connection.\"a.b\\n\"]\n"), "r.toml:1:13: `connection.a.b\\n` cannot be called so", plain);
    let long = format!("[population.{}]\n", "a".repeat(65));
    assert_eq!(mistake(&long).1, plain);
    read(&long.replace("aa]", "a]")).unwrap();
    for word in ["optim", "anchor", "credit", "norm", "task", "weight", "bias", "gain", "objective"] {
        let (message, hint) = mistake(&format!("[connection.{word}]\n"));
        assert_eq!(message, format!("r.toml:1:13: `connection.{word}` cannot be called so"));
        assert!(hint.starts_with("any name but `optim`, ") && hint.contains(&format!("`{word}`")), "{hint}");
    }
    let mut built = base();
    built.population.insert("Hidden".into(), Default::default());
    same(words(&built.check().unwrap_err()), "`population.Hidden` cannot be called so", plain);
}

#[test]
fn members_of_entries_check_their_numbers_together() {
    let message = |entries| mistake(entries).0;
    same(
        mistake("[population.hidden1.neuron.settle]\ndynamics = \"energy\"\nnudge = \"outside\"\n"),
        "nudge = \"outside\" has no meaning for the energy dynamics, where the nudge is part of the energy",
        "leave population.hidden1.neuron.settle.nudge out",
    );
    let pipes = message("[connection.a-b.synapse.binary-beakers]\npipes = [1.0]\nareas = [1.0]\n");
    assert!(pipes.starts_with("`connection.a-b.synapse.binary-beakers.pipes` is a list of 1"), "{pipes}");
    same(
        mistake("[connection.a-b.synapse.metaplastic]\nm = [1.0, 2.0]\n"),
        "`connection.a-b.synapse.metaplastic.m` lists 2 values, but there is one connection",
        "give one value",
    );
    let gain = message("[connection.a-b.wiring.dense]\ngain = [1.0, 2.0]\n");
    assert!(gain.starts_with("`connection.a-b.wiring.dense.gain` lists 2 values"), "{gain}");
    read("[connection.input-hidden1.wiring.dense]\ngain = [1.0]\n").unwrap().validate().unwrap();
}

#[test]
fn normalisation_of_an_entry_needs_units_to_normalise() {
    let small = "[population.context]\nunits = 2\nnorm.layer = {}\n[connection.i]\nfrom = \"input\"\nto = \"context\"\n\
        [connection.o]\nfrom = \"context\"\nto = \"output\"\n";
    same(
        mistake(small),
        "[population.context.norm.layer] on a layer of 2 leaves nothing to learn",
        "use layers of at least 3 units, or population.context.norm.batch",
    );
    let narrow =
        |more: &[&str]| base().with_overrides(&[&["network.layers=[784, 2, 10]"], more].concat()).unwrap();
    narrow(&["norm=layer", "population.hidden1.norm=batch"]).validate().unwrap();
    let error = narrow(&["population.hidden1.norm=layer"]).validate().unwrap_err().to_string();
    assert!(error.starts_with("[population.hidden1.norm.layer] on a layer of 2"), "{error}");
}

#[test]
fn overrides_reach_present_and_absent_entries() {
    let changes = [
        "population.hidden1.units=30",
        "population.hidden1.neuron=relu",
        "population.context.neuron.settle.activation=tanh",
        "connection.input-hidden1.synapse.metaplastic.m=2",
        "connection.a-b.learn=false",
        "connection.a-b.from=input",
        "connection.c-d={lr=1}",
    ];
    let wanted = "\
[population.hidden1]
units = 30
dropout = 0.25
neuron.relu = {}
norm.layer = {}
[population.context]
units = 30
neuron.settle.activation = \"tanh\"
[connection.input-hidden1]
synapse.metaplastic.m = 2.0
lr = 0.01
[connection.context-hidden1]
from = \"context\"
to = \"hidden1\"
learn = false
wiring.dense.gain = 0.5
[connection.input-context]
from = \"input\"
to = \"context\"
[connection.a-b]
from = \"input\"
learn = false
[connection.c-d]
lr = 1.0
";
    assert_eq!(read(ENTRIES).unwrap().with_overrides(&changes).unwrap(), read(wanted).unwrap());
    let without = read(ENTRIES).unwrap().without("population.hidden1").unwrap();
    assert_eq!(without.population.keys().collect::<Vec<_>>(), ["context"]);
    let without = without.without("population").unwrap().without("connection").unwrap();
    assert_eq!(without, base());
}

#[test]
fn overrides_of_entries_are_refused_in_the_same_words() {
    same(
        refused(&["population.hidden1.unts=3"]),
        "override `population.hidden1.unts=3`: unknown key `population.hidden1.unts`",
        "did you mean `units`?",
    );
    same(
        refused(&["connection.a-b.learn=maybe"]),
        "override `connection.a-b.learn=maybe`: `connection.a-b.learn` must be true or false, not the text \"maybe\"",
        "",
    );
    let (message, hint) = refused(&["population.norm.units=3"]);
    assert_eq!(message, "override `population.norm.units=3`: `population.norm` cannot be called so");
    assert!(hint.starts_with("any name but"), "{hint}");
    let (message, _) = refused(&["population={A={units=3}}"]);
    assert!(message.ends_with("`population.A` cannot be called so"), "{message}");
    let (message, _) = refused(&["population.hidden1=3"]);
    assert!(message.ends_with("`population.hidden1` must be a table, not 3"), "{message}");
}

#[test]
fn entries_are_explained_by_any_name() {
    let all = describe::explain("population").unwrap();
    assert!(all.about.starts_with("Populations by name"), "{}", all.about);
    assert!(all.keys.iter().any(|key| key.name == "NAME.units" && !key.required));
    for name in ["NAME", "hidden1"] {
        let units = describe::explain(&format!("population.{name}.units")).unwrap();
        assert_eq!(units.path, format!("population.{name}.units"));
        assert_eq!(units.value.as_deref(), Some("a whole number from 1 to 67,108,864"));
        let entry = describe::explain(&format!("population.{name}")).unwrap();
        assert!(entry.keys.iter().any(|key| key.name == "neuron"));
    }
    let synapses = describe::explain("connection.NAME.synapse").unwrap();
    assert_eq!(synapses.choices, describe::list("synapse").unwrap());
    let own = describe::explain("connection.NAME.synapse.metaplastic").unwrap();
    assert_eq!(own.keys, describe::explain("synapse.metaplastic").unwrap().keys);
    assert_eq!(describe::maps(), ["population", "connection"]);
    let error = describe::explain("population.NAME.unts").unwrap_err();
    same(words(&error), "a recipe has no `population.NAME.unts`", "did you mean `units`?");
    let error = describe::explain("population.Hidden").unwrap_err();
    assert!(error.hint().unwrap().starts_with("any name of small letters"));
}

#[test]
fn devices_of_entries_are_embedded_from_the_folder_of_the_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let (device, file) = (folder.path().join("device.toml"), folder.path().join("r.toml"));
    let preset = include_str!("../../../bouton-core/data/devices/majumdar2021.toml");
    let entries = "[connection.input-hidden1]\nsynapse.rram.device = \"device.toml\"\n";
    std::fs::write(&device, preset).unwrap();
    std::fs::write(&file, format!("{entries}{BASE}")).unwrap();
    let recipe = Recipe::load(&file).unwrap();
    let synapse = |recipe: &Recipe| {
        let mut synapse = recipe.connection["input-hidden1"].synapse.clone().unwrap();
        synapse.method_mut().unwrap().device().cloned().flatten()
    };
    assert_eq!(synapse(&recipe).as_deref(), Some(preset));
    assert_eq!(recipe.with_overrides(&["seed=1"]).unwrap().hash(), recipe.hash());
    let shown = format!("connection.input-hidden1.synapse.rram.device={}", device.display());
    let named = base().with_overrides(&[shown]).unwrap();
    assert_eq!(synapse(&named).as_deref(), Some(preset));

    std::fs::write(&device, "name = \"mine\"\n").unwrap();
    let error = Recipe::load(&file).unwrap_err().to_string();
    assert!(error.contains(&format!("{}: device preset: ", device.display())), "{error}");
    std::fs::remove_file(&device).unwrap();
    let error = Recipe::load(&file).unwrap_err().to_string();
    assert!(error.contains("connection.input-hidden1.synapse.rram.device: "), "{error}");
}

#[test]
fn entries_are_cited_and_follow_signs() {
    let keys = |recipe: &Recipe| recipe.citations().unwrap().iter().map(|r| r.key).collect::<Vec<_>>();
    let recipe = read(ENTRIES).unwrap();
    assert!(keys(&recipe).contains(&"laborieux2021-metaplasticity"));
    assert!(!keys(&base()).contains(&"laborieux2021-metaplasticity"));

    let entries =
        "signs = \"larq\"\n[population.hidden1]\nneuron.sign = {}\n[connection.a-b]\nsynapse.binary = {}\n";
    let spelled = "[population.hidden1.neuron.sign]\nzero = \"plus\"\nsurrogate = \"window\"\n\
                   [connection.a-b.synapse.binary]\nzero = \"plus\"\nwindow = 1.0\nclip = 1.0\n";
    assert_eq!(read(entries).unwrap(), read(spelled).unwrap());
    let zeros = "[population.hidden1]\nneuron.sign.zero = \"zero\"\n[connection.a-b]\nsynapse.binary.zero = \"zero\"\n";
    assert_eq!(read(&entries.replace("larq", "laborieux")).unwrap(), read(zeros).unwrap());
    let against = entries.replace("synapse.binary = {}", "synapse.binary.clip = 2.0");
    assert!(mistake(&against).0.contains("`connection.a-b.synapse.binary.clip` is not what signs"));
    let free = entries.replace("synapse.binary = {}", "synapse.metaplastic.m = 1.0");
    let (message, hint) = mistake(&free);
    assert!(message.contains("connection.a-b.synapse.metaplastic has no bound"), "{message}");
    assert!(hint.ends_with("or connection.a-b.synapse.binary"), "{hint}");
}
