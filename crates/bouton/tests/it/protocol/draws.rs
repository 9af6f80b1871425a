//! Random numbers of training: new where they should be, the same when asked for again, and none in tests.

use super::{Tensors, after, layered, map2, near, tensors, trainer};
use crate::common::{batch, central_differences, learn, recipe, relative_error};
use bouton::credit::{GradCollector, Nudge, Step};
use bouton::network::Network;
use bouton::recipe::Recipe;
use bouton::rng::Key;

const SIGMOID: &str = "[neuron.settle]\nactivation = \"shifted-sigmoid\"\n";

/// Every rule for settling units, with few sweeps.
fn rules() -> Vec<Recipe> {
    let steps = "free-steps = 4\nnudged-steps = 3\n";
    let credits = [
        format!("eq-prop]\nbeta = 0.2\n{steps}"),
        format!("holomorphic-eq-prop]\nbeta = 0.2\npoints = 4\n{steps}"),
        format!("holomorphic-eq-prop]\nbeta = 0.2\npoints = 4\nperiods = 2\n{steps}"),
        format!("continual-eq-prop]\nbeta = 0.2\n{steps}"),
        format!("coupled-learning]\nbeta = 0.2\n{steps}"),
        format!("contrastive-learning]\n{steps}"),
        "bptt]\nsteps = 4\ntruncate = 2\n".into(),
        "recurrent-backprop]\nfree-steps = 4\nadjoint-steps = 3\n".into(),
    ];
    credits.iter().map(|c| recipe(&[20, 7, 5], &format!("{SIGMOID}[credit.{c}"))).collect()
}

fn gradient(recipe: &Recipe, network: &mut Network, key: &Key) -> (Vec<f64>, Step) {
    let batch = batch(network, 5);
    let mut credit = recipe.credit.build(&recipe.solver, network, 8).unwrap();
    let mut sink = GradCollector::default();
    let step = credit.learn(network, &batch, &*recipe.objective.build(), &mut sink, key).unwrap();
    (sink.flat(network), step)
}

#[test]
fn noise_reaches_every_rule_and_is_one_of_the_update() {
    for quiet in rules() {
        let noisy = quiet.with_overrides(&["neuron.settle.noise=0.3"]).unwrap();
        let of = |recipe: &Recipe, key: u64| gradient(recipe, &mut recipe.build().unwrap(), &Key::new(key));
        let what = noisy.to_toml();
        assert_eq!(of(&quiet, 1), of(&quiet, 2), "{what}");
        assert_eq!(of(&noisy, 1), of(&noisy, 1), "{what}");
        let ((a, one), (b, other)) = (of(&noisy, 1), of(&noisy, 2));
        assert!(a != b && one.loss != other.loss, "{what}");
        assert!(of(&quiet, 1).1.loss != one.loss, "{what}");
    }
}

/// BPTT's gradient is that of the pass with the noise as it was drawn.
#[test]
fn the_gradient_of_a_noisy_pass_is_its_own() {
    let recipe = recipe(&[20, 4, 3], &format!("{SIGMOID}noise = 0.4\n[credit.bptt]\nsteps = 3\n"));
    let (mut network, key) = (recipe.build().unwrap(), Key::new(4));
    let g = gradient(&recipe, &mut network, &key).0;
    let other = gradient(&recipe, &mut network, &Key::new(5)).0;
    let numeric = central_differences(&mut network, &mut |n| gradient(&recipe, n, &key).1.mean_loss());
    assert!(relative_error(&g, &numeric) < 1e-7 && relative_error(&other, &numeric) > 1e-2);
}

/// Samples and sweeps of every phase, per sample: two nudged phases count twice.
#[test]
fn phases_are_counted_per_sample() {
    let wanted: [[u64; 4]; 8] = [
        [8, 32, 16, 48],
        [8, 32, 16, 48],
        [0, 0, 8, 8 * 8 * 3],
        [8, 32, 8, 24],
        [8, 32, 16, 48],
        [8, 32, 8, 24],
        [8, 16, 0, 0],
        [8, 24, 0, 0],
    ];
    for (recipe, wanted) in rules().iter().zip(wanted) {
        let step = gradient(recipe, &mut recipe.build().unwrap(), &Key::new(1)).1;
        let found = [step.free.samples, step.free.sweeps, step.nudged.samples, step.nudged.sweeps];
        assert_eq!((found, step.samples, step.fallback), (wanted, 8, 0), "{}", recipe.to_toml());
    }
}

#[test]
fn a_random_sign_is_one_of_the_update() {
    let signs: Vec<f64> = (0..200).map(|k| Nudge::RandomSign.phases(0.5, &Key::new(k)).1[0].beta).collect();
    assert!(signs.iter().all(|b| b.abs() == 0.5));
    assert!(signs.iter().filter(|b| **b > 0.0).count().abs_diff(100) < 30);
    for (nudge, free, phases) in [
        (Nudge::Positive, 2.0, vec![(0.5, -2.0)]),
        (Nudge::Negative, -2.0, vec![(-0.5, 2.0)]),
        (Nudge::Symmetric, 0.0, vec![(0.5, -1.0), (-0.5, 1.0)]),
    ] {
        let (of_free, found) = nudge.phases(0.5, &Key::new(1));
        assert_eq!(
            (of_free, found.iter().map(|p| (p.beta, p.coefficient)).collect::<Vec<_>>()),
            (free, phases)
        );
    }
}

/// With draws that are all alike an update of two is one of one, unless units are silent: each draw silences its own.
#[test]
fn draws_of_an_update_have_numbers_of_their_own() {
    let text = |dropout: &str, draws: usize| {
        layered(&format!(
            "[synapse.mesu]\nspread = 1e-14\n[optim.sgd]\nlr = 0.1\n[run]\ntrain-draws = {draws}\n"
        ))
        .replace("[9, 5, 4]", &format!("[9, 5, 4]\n{dropout}"))
    };
    for dropout in ["", "dropout = 0.5", "input-dropout = 0.5"] {
        let bias = |draws| after(&text(dropout, draws), &[], 1)["output.bias"].clone();
        let same = map2(&bias(1), &bias(2), |a, b| (a - b).abs()).iter().all(|d| *d < 1e-9);
        assert_eq!(same, dropout.is_empty(), "{dropout}");
    }
    let wide = layered("[synapse.mesu]\nspread = 0.5\n[optim.sgd]\nlr = 0.1\n[run]\ntrain-draws = 3\n");
    let mut t = trainer(&wide, &[]);
    let key = |t: &Tensors| t["input-hidden1.weight"].clone();
    let before = key(&tensors(&mut t));
    learn(&mut t, 1);
    let first = key(&tensors(&mut t));
    learn(&mut t, 2);
    assert!(before != first && first != key(&tensors(&mut t)));
}

/// Every weight is drawn by numbers of its own, also where a parameter is updated in several bands, and anew in each update.
#[test]
fn every_weight_is_drawn_for_itself() {
    let text = layered(
        "[synapse.bayesbinn]\nstart = 1e-6\nrate = 1e-12\ntemperature = 1.0\n[optim.sgd]\nlr = 0.1\n",
    )
    .replace("[9, 5, 4]", "[9, 2000, 4]");
    let mut t = trainer(&text, &[]);
    let mut seen = Vec::new();
    for _ in 0..3 {
        t.learn().unwrap();
        // λ is next to nothing, so what a weight is was drawn.
        let weights: Vec<i64> = t.network.connections[0]
            .weight
            .mat()
            .to_f64s()
            .iter()
            .map(|w| (w * 1e3).round() as i64)
            .collect();
        let rows: std::collections::BTreeSet<&[i64]> = weights.chunks(9).collect();
        assert!(rows.len() > 1990, "{} of 2000 rows are different", rows.len());
        assert!(seen.iter().all(|w| *w != weights), "an update repeats the draws of another");
        seen.push(weights);
    }
    let before = tensors(&mut t);
    t.evaluate(0).unwrap();
    assert_eq!(tensors(&mut t), before, "a test leaves the weights as they were");
    let mut drawn = trainer(&text, &["run.test-draws=3"]);
    let before = tensors(&mut drawn);
    let (one, again) = (drawn.evaluate(0).unwrap().loss, drawn.evaluate(0).unwrap().loss);
    assert_eq!((one, tensors(&mut drawn)), (again, before), "nor do its draws");
}

/// Decay and penalty are of the hidden weight: h ← h − η(g + λh), and the way is the hidden weight's.
#[test]
fn hidden_weights_decay_and_leave_their_way() {
    let base = |optim: &str, more: &str| {
        layered(&format!("[norm.batch]\n[synapse.binary]\n{optim}{more}"))
            .replace("[neuron.relu]", "[neuron.sign]")
    };
    let hidden = |t: &Tensors| t["input-hidden1.binary.hidden"].clone();
    let sgd = "[optim.sgd]\nlr = 0.05\n";
    let (start, plain) = (after(&base(sgd, ""), &[], 0), after(&base(sgd, ""), &[], 1));
    let decayed = after(&base(sgd, ""), &["optim.sgd.decay=0.3"], 1);
    let gone = map2(&hidden(&plain), &hidden(&decayed), |a, b| a - b);
    assert!(near(&gone, &map2(&hidden(&start), &hidden(&start), |h, _| 0.05 * 0.3 * h)));
    let tasks = "[sequence.permuted]\ntasks = 2\n[anchor.si]\nc = 2.0\n";
    let mut t = trainer(&base(sgd, tasks), &[]);
    let mut way = vec![0.0; 45];
    for _ in 0..8 {
        let before = hidden(&tensors(&mut t));
        t.learn().unwrap();
        let step = map2(&hidden(&tensors(&mut t)), &before, |a, b| a - b);
        way = map2(&way, &step, |w, d| w + d * d / 0.05);
    }
    let all = tensors(&mut t);
    assert!(near(&way, &all["anchor.input-hidden1.weight.path"]));
    t.end_segment().unwrap();
    // One update on, nothing pulls yet; two updates on the anchor does, by 2c(Ωh − P).
    let mut free = trainer(&base(sgd, tasks), &["anchor.si.c=0.0"]);
    learn(&mut free, 9);
    t.learn().unwrap();
    assert_eq!(hidden(&tensors(&mut t)), hidden(&tensors(&mut free)));
    let at = tensors(&mut t);
    t.learn().unwrap();
    free.learn().unwrap();
    let force = map2(&hidden(&tensors(&mut free)), &hidden(&tensors(&mut t)), |a, b| (a - b) / 0.05);
    let toward = map2(&at["anchor.input-hidden1.weight.importance"], &hidden(&at), |o, h| o * h);
    let wanted = map2(&toward, &at["anchor.input-hidden1.weight.pull"], |a, p| 4.0 * (a - p));
    assert!(force.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-9), "{force:?} {wanted:?}");
    assert!(wanted.iter().any(|f| f.abs() > 1e-6));
}
