//! Runs that begin with trained weights, and runs that go on with a finished one.

use bouton::Error;
use bouton::recipe::Recipe;
use bouton::train::{Checkpoint, Outcome, RunDir, RunOptions, Silent, Trainer, metrics, run};
use std::cell::Cell;
use std::path::Path;

/// Accuracy that goes up and down on samples held back, and an optimiser with a memory.
const RECIPE: &str = "precision = \"f64\"\n[task.synthetic]\nshape = [1, 3, 3]\nclasses = 4\ntrain = 36\nvalidation = 0.3333\ntest = 12\n\
    batch = 6\nepochs = 12\n[network]\nlayers = [9, 5, 4]\n[neuron.relu]\n[objective.softmax-cross-entropy]\n[credit.backprop]\n\
    [optim.sgd]\nlr = 0.3\nmomentum = 0.5\n[schedule.step]\nevery = 5\nfactor = 0.5\n[run]\nlog-every = 5\nkeep-checkpoints = 99\n";

fn recipe(text: &str) -> Recipe {
    Recipe::parse(text, "begin").unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn go(
    recipe: &Recipe,
    out: &Path,
    extend: Option<&RunDir>,
    updates: usize,
) -> bouton::Result<Option<RunDir>> {
    let asked = Cell::new(0);
    let interrupt = || {
        asked.set(asked.get() + 1);
        asked.get() >= updates
    };
    let options = RunOptions { interrupt: &interrupt, extend: extend.cloned(), ..RunOptions::new(out) };
    match run(recipe, &options, &mut Silent) {
        Ok(Outcome::Finished { run, .. }) => RunDir::open(run).map(Some),
        Ok(other) => panic!("{other:?}"),
        Err(Error::Interrupted) => Ok(None),
        Err(error) => Err(error),
    }
}

fn whole(recipe: &Recipe, out: &Path) -> RunDir {
    go(recipe, out, None, usize::MAX).unwrap().unwrap()
}

fn last(run: &RunDir) -> Checkpoint {
    Checkpoint::load(&run.checkpoints().join("last.safetensors")).unwrap()
}

/// What a run wrote, but for times.
fn lines(run: &RunDir) -> Vec<(u64, String, String)> {
    let all = metrics::read(&run.metrics()).unwrap().records;
    all.into_iter().map(|r| (r.step, r.split, format!("{:?}", r.values))).collect()
}

#[test]
fn a_finished_run_that_goes_on_is_the_longer_run() {
    let out = tempfile::tempdir().unwrap();
    let at = |epochs: &str| recipe(&RECIPE.replace("epochs = 12", epochs));
    let long = whole(&at("epochs = 12"), &out.path().join("long"));
    let runs = out.path().join("runs");
    let short = whole(&at("epochs = 5"), &runs);
    let extended = go(&at("epochs = 12"), &runs, Some(&short), usize::MAX).unwrap().unwrap();
    assert!(extended.path() != short.path() && last(&short).meta::<u64>("step").unwrap() == 20);
    assert!(last(&extended) == last(&long));
    assert_eq!(lines(&extended), lines(&long));
    let best = |run: &RunDir| Checkpoint::load(&run.checkpoints().join("best.safetensors")).unwrap();
    assert!(best(&extended) == best(&long));
    assert!(std::fs::read_to_string(extended.log()).unwrap().contains("begins with what"));
    assert_eq!(Recipe::load(extended.recipe()).unwrap().hash(), at("epochs = 12").hash());
    // Interrupted, it is an unfinished run as any other.
    let again = out.path().join("again");
    let short = whole(&at("epochs = 5"), &again);
    assert!(go(&at("epochs = 12"), &again, Some(&short), 7).unwrap().is_none());
    let on = go(&at("epochs = 12"), &again, None, usize::MAX).unwrap().unwrap();
    assert!(last(&on) == last(&long) && lines(&on) == lines(&long));
}

#[test]
fn what_would_not_be_the_longer_run_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let refused = |short: &str, long: &str, updates: usize| {
        let out =
            out.path().join(updates.to_string() + &recipe(short).hash()[..8] + &recipe(long).hash()[..8]);
        let _ = go(&recipe(short), &out, None, updates).unwrap();
        let short = RunDir::list(&out).unwrap().runs.pop().unwrap().run;
        let error = go(&recipe(long), &out, Some(&short), usize::MAX).unwrap_err();
        assert_eq!(RunDir::list(&out).unwrap().runs.len(), 1, "nothing is left behind");
        format!("{error} / {}", error.hint().unwrap())
    };
    let short = RECIPE.replace("epochs = 12", "epochs = 2");
    let all = usize::MAX;
    assert!(refused(&short, RECIPE, 3).contains("is not finished"));
    assert!(refused(&short, &RECIPE.replace("0.3\n", "0.2\n"), all).contains("has another recipe"));
    let same = refused(&short, &RECIPE.replace("epochs = 12", "epochs = 1"), all);
    assert!(same.contains("made 8 updates already, which are no less than 4"), "{same}");
    let within = short.replace("[run]\n", "[run]\nupdates = 7\n");
    assert!(refused(&within, RECIPE, all).contains("stopped within an epoch"));
    for (more, what) in [
        ("[sequence.permuted]\ntasks = 2\n", "several tasks"),
        ("[continual]\nreset-optimiser = true\n", "forget the optimiser's state"),
        ("[synapse.bayesbinn]\n", "synapses change when a task ends"),
    ] {
        // A synapse with a step size of its own takes no schedule.
        let with =
            |text: &str| format!("{text}{more}").replace("[schedule.step]\nevery = 5\nfactor = 0.5\n", "");
        let said = refused(&with(&short), &with(RECIPE), all);
        assert!(said.contains(what), "{said}");
    }
}

#[test]
fn a_run_begins_with_the_weights_of_a_file() {
    let out = tempfile::tempdir().unwrap();
    let first = whole(&recipe(RECIPE), out.path());
    let file = first.checkpoints().join("last.safetensors");
    let from = |file: &Path, more: &str| format!("{RECIPE}from = {:?}\n{more}", file.display().to_string());
    let second = recipe(&from(&file, ""));
    let mut begun = Trainer::new(&second, None).unwrap();
    let mut tensors = Vec::new();
    begun
        .network
        .visit(&mut |name, mat| {
            tensors.push((name.to_owned(), mat.to_f64s()));
            Ok(())
        })
        .unwrap();
    let trained = last(&first);
    for (name, values) in &tensors {
        let bouton::train::TensorData::F64(wanted) = &trained.tensor(name).unwrap().data else {
            panic!("f64")
        };
        assert_eq!(values, wanted, "{name}");
    }
    assert!(tensors.len() >= 4 && begun.update() == 0);
    // What is in the file counts, not its place.
    let copy = out.path().join("copy.safetensors");
    std::fs::copy(&file, &copy).unwrap();
    assert_eq!(recipe(&from(&copy, "")).hash(), second.hash());
    let early = first.checkpoints().join("000004.safetensors");
    assert_ne!(recipe(&from(&early, "")).hash(), second.hash());
    assert_ne!(recipe(RECIPE).hash(), second.hash());
    let resolved = recipe(&second.to_toml());
    assert!(resolved == second && second.smoke().run.from.is_none());
    let ran = whole(&second, out.path());
    assert_ne!(lines(&ran)[0], lines(&first)[0]);
    // Refused: another network, no file, no checkpoint, another content than when the recipe was read.
    let other = from(&file, "").replace("[9, 5, 4]", "[9, 6, 4]");
    let error = Trainer::new(&recipe(&other), None).unwrap_err();
    assert!(
        error.to_string().contains("run.from") && error.to_string().contains("[9, 5]")
            || error.to_string().contains("[5, 9]"),
        "{error}"
    );
    let error = Recipe::parse(&from(Path::new("nowhere"), ""), "begin").unwrap_err();
    assert!(error.exit_code() == 3 && error.to_string().contains("nowhere"), "{error}");
    let moved = recipe(&from(&copy, ""));
    std::fs::write(&copy, "other").unwrap();
    let error = Trainer::new(&moved, None).unwrap_err();
    assert!(error.to_string().contains("not the weights that the recipe was read with"), "{error}");
    assert!(matches!(Trainer::new(&recipe(&from(&copy, "")), None), Err(Error::Checkpoint { .. })));
}
