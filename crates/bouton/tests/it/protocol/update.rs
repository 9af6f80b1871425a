//! From gradients to an update: what is clipped, how rates rise, which batches are gathered.

use super::{Tensors, after, layered, map2, near, tensors, trainer};
use crate::common::{self, learn};
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton::train::{Outcome, RunOptions, Silent, run};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Plain descent at rate 1 with gains, biases and an objective's own number; what one update took from every parameter.
fn descent(more: &str) -> String {
    layered(&format!("[norm.layer]\n[optim.sgd]\nlr = 1.0\n{more}"))
        .replace("cross-entropy]\n", "cross-entropy]\nlearn-temperature = true\n")
}

fn taken(text: &str) -> Tensors {
    let (from, to) = (after(text, &[], 0), after(text, &[], 1));
    from.iter().map(|(name, w)| (name.clone(), map2(w, &to[name], |w, to| w - to))).collect()
}

/// The length of a gradient whose numbers are at most `most`.
fn length(g: &Tensors, most: f64) -> f64 {
    g.values().flatten().map(|g| g.clamp(-most, most).powi(2)).sum::<f64>().sqrt()
}

fn all_near(a: &Tensors, b: &Tensors, f: impl Fn(f64) -> f64) {
    assert_eq!(a.len(), b.len());
    for (name, b) in b {
        let wanted = map2(b, b, |b, _| f(b));
        assert!(near(&a[name], &wanted), "{name}: {:?} against {wanted:?}", a[name]);
    }
}

#[test]
fn a_gradient_of_all_parameters_is_shortened() {
    let g = taken(&descent(""));
    assert!(g.contains_key("objective.temperature") && g.contains_key("hidden1.gain"), "{:?}", g.keys());
    let norm = length(&g, f64::INFINITY);
    let clipped = |c: f64| taken(&descent(&format!("[update]\nclip-norm = {c:?}\n")));
    all_near(&clipped(0.5 * norm), &g, |g| 0.5 * g);
    assert!((length(&clipped(0.01), f64::INFINITY) - 0.01).abs() < 1e-9);
    assert_eq!(clipped(1.001 * norm), g, "a short one is what it is, to the bit");
}

#[test]
fn numbers_of_a_gradient_are_bounded_before_it_is_shortened() {
    let g = taken(&descent(""));
    let bound = 0.3 * g.values().flatten().fold(0.0, |most: f64, g| most.max(g.abs()));
    let tables = |more: &str| descent(&format!("[update]\nclip-value = {bound:?}\n{more}"));
    all_near(&taken(&tables("")), &g, |g| g.clamp(-bound, bound));
    let norm = 0.25 * length(&g, bound);
    all_near(&taken(&tables(&format!("clip-norm = {norm:?}\n"))), &g, |g| 0.25 * g.clamp(-bound, bound));
}

/// Decay is no part of what is clipped, and the way of a weight is traced by the gradient as it was.
#[test]
fn decay_comes_after_and_importance_before() {
    let one = |more: &str, update: &str| after(&descent(&format!("{more}{update}")), &[], 1);
    let (half, none) = ("[update]\nclip-norm = 1e-9\n", "");
    let decayed = one("decay = 0.4\n", half);
    let plain = after(&descent(none), &[], 0);
    let w = &plain["input-hidden1.weight"];
    let rest = map2(&decayed["input-hidden1.weight"], w, |to, from| to - 0.6 * from);
    assert!(rest.iter().all(|d| d.abs() < 1e-8), "{rest:?}");
    let norm = length(&taken(&descent(none)), f64::INFINITY);
    let si = "[sequence.permuted]\ntasks = 2\n[anchor.si]\n";
    let path = |update: &str| one(si, update)["anchor.input-hidden1.weight.path"].clone();
    let halved = path(&format!("[update]\nclip-norm = {:?}\n", 0.5 * length(&of_tasks(si), f64::INFINITY)));
    assert!(norm > 0.0 && near(&halved, &map2(&path(none), &[0.0; 45], |p, _| 0.5 * p)));
}

/// What the first update of a sequence takes, without what the anchor keeps.
fn of_tasks(si: &str) -> Tensors {
    taken(&descent(si)).into_iter().filter(|(name, _)| !name.starts_with("anchor.")).collect()
}

/// With draws that are all alike an update of three is one of one, clipped or not.
#[test]
fn every_draw_is_clipped_for_itself() {
    let text = |draws: usize, update: &str| {
        layered(&format!(
            "[synapse.mesu]\nspread = 1e-14\n[optim.sgd]\nlr = 0.1\n[run]\ntrain-draws = {draws}\n[update]\n{update}\n"
        ))
    };
    let plain = after(&text(3, ""), &[], 1)["output.bias"].clone();
    for update in ["clip-norm = 0.02", "clip-value = 0.01", "clip-value = 0.01\nclip-norm = 0.01"] {
        let bias = |draws| after(&text(draws, update), &[], 2)["output.bias"].clone();
        assert!(near(&bias(1), &bias(3)), "{update}: {:?} {:?}", bias(1), bias(3));
        assert!(!near(&plain, &after(&text(3, update), &[], 1)["output.bias"]), "{update}");
    }
}

/// Gathered batches are one large batch, at the end of an epoch, too, where fewer or smaller ones are left.
#[test]
fn gathered_batches_are_one_large_batch() {
    let settling = layered("[optim.adam]\nlr = 0.01\n").replace(
        "[neuron.relu]\n[objective.softmax-cross-entropy]\n[credit.backprop]\n",
        "[neuron.settle]\n[credit.eq-prop]\nbeta = 0.5\nfree-steps = 20\nnudged-steps = 5\n",
    );
    let adam = layered("[norm.layer]\n[optim.adam]\nlr = 0.01\n");
    for text in [adam, descent("momentum = 0.5\n[update]\nclip-norm = 0.1\n"), settling] {
        for (batch, several, updates) in [(3, 2, 4), (5, 2, 3), (5, 3, 2), (7, 2, 2), (2, 12, 1), (2, 50, 1)]
        {
            let large = [format!("task.synthetic.batch={}", (batch * several).min(24))];
            let small = [format!("task.synthetic.batch={batch}"), format!("update.accumulate={several}")];
            let learned = |overrides: &[String]| {
                let overrides: Vec<&str> = overrides.iter().map(String::as_str).collect();
                let mut t = trainer(&text, &overrides);
                assert_eq!(t.updates(), 2 * updates, "{overrides:?}");
                learn(&mut t, updates);
                assert_eq!(t.epoch(), 1);
                learn(&mut t, 2 * updates);
                assert_eq!(t.checkpoint().unwrap().meta["optimiser-step"], (2 * updates).to_string());
                tensors(&mut t)
            };
            let (one, other) = (learned(&large), learned(&small));
            for (name, values) in &one {
                let off = map2(values, &other[name], |a, b| (a - b).abs());
                assert!(off.iter().all(|d| *d < 1e-12), "{small:?}: {name} {off:?}");
            }
        }
    }
}

/// Batches that are gathered are batches: dropout and normalisation see each for itself.
#[test]
fn gathered_batches_are_seen_one_by_one() {
    let text = |tables: &str| layered(&format!("{tables}[optim.sgd]\nlr = 0.1\n"));
    let bias = |text: &str, overrides: &[&str]| after(text, overrides, 1)["output.bias"].clone();
    let both = ["task.synthetic.batch=6", "update.accumulate=2"];
    for (tables, same) in [("", true), ("[norm.layer]\n", true), ("[norm.batch]\n", false)] {
        let (large, small) = (bias(&text(tables), &["task.synthetic.batch=12"]), bias(&text(tables), &both));
        assert_eq!(near(&large, &small), same, "{tables}");
    }
    let running = |updates, overrides: &[&str]| {
        after(&text("[norm.batch]\n"), &[overrides, &["optim.sgd.lr=0.0"]].concat(), updates)["hidden1.norm.mean"]
            .clone()
    };
    assert!(near(&running(2, &[]), &running(1, &both)), "running means move with every batch");
}

/// Pieces that are alike come to one of them, unless units are silent: each piece silences its own.
#[test]
fn gathered_batches_have_random_numbers_of_their_own() {
    for dropout in [0.0, 0.5] {
        let mut recipe = common::recipe(&[20, 7, 5], "[neuron.relu]\n[credit.backprop]\n");
        recipe.network.dropout = dropout;
        let learned = |copies: usize| {
            let mut network = recipe.build().unwrap();
            let once = common::batch(&network, 5);
            let rows: Vec<usize> = (0..copies).flat_map(|_| 0..once.len()).collect();
            let (mut updater, objective) = (recipe.updater(&network).unwrap(), recipe.objective.build());
            let mut credit = recipe.credit.build(&recipe.solver, &network, rows.len()).unwrap();
            updater.set_piece(Some(once.len()));
            updater.update(&mut *credit, &mut network, &once.take(&rows), &*objective, &Key::new(2)).unwrap();
            network.connections[1].weight.mat().to_f64s()
        };
        assert_eq!(near(&learned(1), &learned(3)), dropout == 0.0, "{dropout}");
    }
}

/// Rates rise from where the optimiser's state began: in the first task, and in others if that was forgotten.
#[test]
fn rates_rise_after_a_reset_only() {
    let text = layered("[sequence.permuted]\ntasks = 2\n[optim.sgd]\nlr = 1e-9\n");
    let step = |overrides: &[&str], k| {
        let bias = |k| after(&text, overrides, k)["output.bias"].clone();
        map2(&bias(k), &bias(k + 1), |a, b| a - b)
    };
    for (reset, factors) in [("true", [0.25, 0.5, 1.0, 0.25, 0.5]), ("false", [0.25, 0.5, 1.0, 1.0, 1.0])] {
        let reset = format!("continual.reset-optimiser={reset}");
        for (k, factor) in [0, 1, 5, 8, 9].into_iter().zip(factors) {
            let (with, without) = (step(&["update.warm-up=4", &reset], k), step(&[&reset], k));
            let ok =
                with.iter().zip(&without).all(|(a, b)| (a - factor * b).abs() < 1e-4 * b.abs().max(1e-12));
            assert!(ok, "{reset}, update {k}: {with:?} against {without:?}");
        }
    }
    let halved = ["schedule.step.every=1", "schedule.step.factor=0.5"];
    let both = step(&[halved[0], halved[1], "update.warm-up=8"], 4);
    let product =
        step(&[], 4).iter().zip(&both).all(|(a, b)| (b - 0.5 * 5.0 / 8.0 * a).abs() < 1e-4 * a.abs());
    assert!(product, "the schedule's factor is on top");
}

/// Runs in `out` and asks for an interrupt after `updates`.
fn go(text: &str, out: &Path, updates: usize) -> Option<PathBuf> {
    let asked = Cell::new(0);
    let interrupt = || {
        asked.set(asked.get() + 1);
        asked.get() >= updates
    };
    let options = RunOptions { interrupt: &interrupt, ..RunOptions::new(out) };
    match run(&Recipe::parse(text, "protocol").unwrap(), &options, &mut Silent) {
        Ok(Outcome::Finished { run, .. }) => Some(run),
        Err(bouton::Error::Interrupted) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_interrupted_run_goes_on_as_if_nothing_had_happened() {
    let text = layered(
        "[sequence.permuted]\ntasks = 2\n[continual]\nreset-optimiser = true\n[optim.adam]\nlr = 0.01\n[run]\nlog-every = 1\n\
         keep-checkpoints = \"all\"\n[update]\nclip-norm = 0.05\nclip-value = 0.02\nwarm-up = 5\naccumulate = 3\n",
    )
    .replace("batch = 6", "batch = 2");
    let [one, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let whole = go(&text, one.path(), usize::MAX).unwrap();
    // 3 of 16 updates, in the first epoch; 2 more, then those of the second task.
    assert!(go(&text, other.path(), 3).is_none() && go(&text, other.path(), 2).is_none());
    assert!(go(&text, other.path(), 6).is_none());
    let resumed = go(&text, other.path(), usize::MAX).unwrap();
    let file = "checkpoints/000016.safetensors";
    assert!(std::fs::read(whole.join(file)).unwrap() == std::fs::read(resumed.join(file)).unwrap());
    let losses = |run: &Path| -> BTreeMap<(String, u64), String> {
        let all = bouton::train::metrics::read(&run.join("metrics.jsonl")).unwrap().records;
        all.into_iter().map(|r| ((r.split, r.step), format!("{:?}", r.values))).collect()
    };
    assert_eq!(losses(&whole), losses(&resumed));
    assert_eq!(losses(&whole).keys().filter(|(split, _)| split == "batch").count(), 16);
}

#[test]
fn what_has_no_meaning_is_refused() {
    let check = |text: &str, overrides: &[&str]| {
        let recipe = Recipe::parse(text, "protocol").unwrap();
        recipe.with_overrides(overrides).and_then(|r| r.check().map(|()| r)).map_err(|e| e.to_string())
    };
    let text = layered("[optim.sgd]\nlr = 0.1\n");
    let plain = check(&text, &[]).unwrap();
    assert!(!plain.to_toml().contains("update]"), "nothing is said of updates as they are");
    assert!(check(&text, &["update.clip-norm=1.0"]).unwrap().hash() != plain.hash());
    for (key, right, wrong) in [
        ("clip-norm", "1e-9", ["0.0", "-1.0", "nan", "inf"]),
        ("clip-value", "1e-9", ["0.0", "-1.0", "nan", "inf"]),
        ("warm-up", "1", ["0", "-1", "0.5", "nan"]),
        ("accumulate", "1", ["0", "-1", "0.5", "nan"]),
    ] {
        assert!(check(&text, &[&format!("update.{key}={right}")]).is_ok(), "{key}");
        for value in wrong {
            let said = check(&text, &[&format!("update.{key}={value}")]).expect_err(value);
            assert!(said.contains(key), "{key} = {value}: {said}");
        }
    }
    let continual = layered("[optim.sgd]\nlr = 0.1\n[update]\nclip-norm = 1.0\nwarm-up = 3\n").replace(
        "[neuron.relu]\n[objective.softmax-cross-entropy]\n[credit.backprop]\n",
        "[neuron.settle]\n[credit.continual-eq-prop]\nbeta = 0.5\nfree-steps = 9\nnudged-steps = 3\n",
    );
    let own = layered("[synapse.bimu]\n[optim.sgd]\nlr = 0.1\n");
    let replay =
        layered("[sequence.permuted]\ntasks = 2\n[continual.replay]\nsize = 4\n[optim.sgd]\nlr = 0.1\n");
    for (text, allowed, refused, said) in [
        (&continual, "update.accumulate=1", "update.accumulate=2", "move after every sweep"),
        (&own, "update.accumulate=2", "update.warm-up=2", "step size of its own"),
        (&replay, "update.accumulate=1", "update.accumulate=2", "adds samples to every update"),
    ] {
        assert!(check(text, &[allowed]).is_ok(), "{allowed}");
        let error = check(text, &[refused]).unwrap_err();
        assert!(error.contains(said) && error.contains("update."), "{error}");
    }
    let all = check(&text, &["task.synthetic.batch=all", "update.accumulate=2"]).unwrap_err();
    assert!(all.contains("no further batch"), "{all}");
}
