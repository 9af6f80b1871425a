//! The gradient of a batch is the mean of those of its samples, each alone: nothing of one sample is another's.

use crate::common::{batch, relative_error};
use bouton::credit::{Batch, GradCollector};
use bouton::objective::{Given, Objective};
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::{DType, Mat};

const SIGMOID: &str = "[neuron.settle]\nactivation = \"shifted-sigmoid\"\n";
const DENSE: &str = "[1, 4, 4]\nlayers = [16, 8, 6, 5]";
const STEPS: &str = "free-steps = 40\nnudged-steps = 12\n";

fn recipe(net: &str, tables: &str) -> Recipe {
    let (shape, layers) = net.split_once('\n').unwrap();
    let text = format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = {shape}\nclasses = 5\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
         [network]\n{layers}\n[optim.sgd]\nlr = 0.1\n{tables}"
    );
    Recipe::parse(&text, "test").unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn gradient(recipe: &Recipe, batch: &Batch, objective: &dyn Objective) -> Vec<f64> {
    let mut network = recipe.build().unwrap();
    let mut credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
    let mut sink = GradCollector::default();
    credit.learn(&mut network, batch, objective, &mut sink, &Key::new(1)).unwrap();
    sink.flat(&network)
}

fn alone(batch: &Batch, r: usize) -> Batch {
    batch.take(&[r])
}

/// The relative distance of a batch's gradient from the mean of its samples'.
fn apart(recipe: &Recipe, objective: &dyn Fn(Option<usize>) -> Box<dyn Objective>) -> f64 {
    let batch = batch(&recipe.build().unwrap(), 5);
    let whole = gradient(recipe, &batch, &*objective(None));
    let mut mean = vec![0.0; whole.len()];
    for r in 0..8 {
        let one = gradient(recipe, &alone(&batch, r), &*objective(Some(r)));
        mean.iter_mut().zip(one).for_each(|(m, g)| *m += g / 8.0);
    }
    assert!(whole.iter().any(|g| g.abs() > 1e-4));
    relative_error(&whole, &mean)
}

#[test]
fn every_rule_takes_its_samples_one_by_one() {
    let image = |pool: &str| {
        format!(
            "[1, 6, 6]\nlayers = [{{ image = [1, 6, 6] }}, {{ filters = 3, kernel = 3, padding = 1, pool = {pool} }}, \
             {{ filters = 4, kernel = 3, padding = 1{} }}, 5]",
            if pool.contains("soft") { ", pool = { soft = { size = 3 } }" } else { ", pool = { max = 3 }" }
        )
    };
    let (max, soft) = (image("{ max = 2 }"), image("{ soft = { size = 2 } }"));
    let ep = |more: &str| format!("{SIGMOID}[credit.eq-prop]\nbeta = 0.2\n{STEPS}{more}");
    let stops = "[solver.even-odd]\ntolerance = 1e-3\n";
    let slow = "[solver.synchronous]\ntolerance = 3e-3\n";
    let softmax = "[objective.softmax-cross-entropy]\n";
    let field = "[wiring.dense]\nfeedback = \"vector-field\"\nangle = 30.0\n";
    let rules = [
        (DENSE, ep(&format!("nudge = \"positive\"\n{stops}"))),
        (DENSE, ep(&format!("nudge = \"negative\"\n{slow}"))),
        (DENSE, ep(&format!("nudge = \"random-sign\"\n{slow}"))),
        (DENSE, ep(slow)),
        (DENSE, ep(&format!("{slow}{softmax}"))),
        (DENSE, ep("[solver.anderson]\ntolerance = 1e-4\n")),
        (DENSE, ep(&format!("corrected = true\n{field}{slow}"))),
        (&max, ep(&format!("{slow}[wiring.conv]\n"))),
        (&max, ep(&format!("{slow}[wiring.conv]\n{softmax}"))),
        (&soft, ep(&format!("{stops}[wiring.conv]\n"))),
        (
            &soft,
            ep(&format!(
                "corrected = true\n{slow}[wiring.conv]\nfeedback = \"vector-field\"\nangle = 30.0\n"
            )),
        ),
        (DENSE, format!("{SIGMOID}[credit.coupled-learning]\nbeta = 0.3\n{STEPS}{slow}")),
        (DENSE, format!("{SIGMOID}[credit.contrastive-learning]\n{STEPS}{slow}")),
        (DENSE, format!("{SIGMOID}[credit.holomorphic-eq-prop]\nbeta = 0.2\npoints = 4\n{STEPS}")),
        (
            DENSE,
            format!(
                "{SIGMOID}[credit.holomorphic-eq-prop]\nbeta = 0.2\npoints = 4\nperiods = 2\n{STEPS}{softmax}"
            ),
        ),
        (DENSE, format!("{SIGMOID}[credit.continual-eq-prop]\nbeta = 0.2\n{STEPS}")),
        (DENSE, format!("{SIGMOID}[credit.bptt]\nsteps = 12\n")),
        (DENSE, format!("{SIGMOID}[credit.bptt]\nsteps = 12\ntruncate = 5\n[solver.even-odd]\n{softmax}")),
        (&max, format!("{SIGMOID}[credit.bptt]\nsteps = 9\n[wiring.conv]\n")),
        (DENSE, format!("{SIGMOID}[credit.recurrent-backprop]\nfree-steps = 40\nadjoint-steps = 20\n{slow}")),
        (DENSE, format!("[neuron.relu]\n[norm.layer]\n[credit.backprop]\n{softmax}")),
    ];
    for (net, tables) in rules {
        let recipe = recipe(net, &tables);
        recipe.check().unwrap_or_else(|e| panic!("{e}\n{tables}"));
        let error = apart(&recipe, &|_| recipe.objective.build());
        assert!(error < 1e-11, "{error:e}\n{net}\n{tables}");
    }
}

/// Batches are worked on in shards: the gradient of two of them is the mean over all their samples.
#[test]
fn a_batch_of_two_shards_has_one_mean() {
    let steps = "free-steps = 6\nnudged-steps = 3\n";
    for credit in [
        format!("eq-prop]\nbeta = 0.2\n{steps}"),
        format!("holomorphic-eq-prop]\nbeta = 0.2\npoints = 4\n{steps}"),
        format!("coupled-learning]\nbeta = 0.2\n{steps}"),
        "bptt]\nsteps = 6\n".into(),
    ] {
        let recipe = recipe(DENSE, &format!("{SIGMOID}[credit.{credit}"));
        let eight = batch(&recipe.build().unwrap(), 5);
        let ids: Vec<usize> = (0..20).map(|r| r * 5 % 8).collect();
        let (x, mut mean) = (Mat::from_fn(DType::F64, 20, 16, |r, c| eight.x.get(ids[r], c)), Vec::new());
        let target = eight.target.take(&ids);
        let objective = recipe.objective.build();
        let whole = gradient(&recipe, &Batch { x, target, ids: ids.clone(), spans: None }, &*objective);
        for &i in &ids {
            let one = gradient(&recipe, &alone(&eight, i), &*objective);
            mean.resize(one.len(), 0.0);
            mean.iter_mut().zip(one).for_each(|(m, g)| *m += g / 20.0);
        }
        let error = relative_error(&whole, &mean);
        assert!(error < 1e-11, "{credit}: {error:e}");
    }
}

/// A gradient from outside belongs to a sample, wherever its row stands while others have settled.
#[test]
fn outer_gradients_stay_with_their_samples() {
    let g = Mat::from_fn(DType::F64, 8, 5, |r, c| 0.3 * ((r * 3 + c * 2) % 7) as f64 - 0.9);
    for (credit, stops) in [
        ("eq-prop]\nbeta = 0.2\n", "[solver.synchronous]\ntolerance = 3e-3\n"),
        ("coupled-learning]\nbeta = 0.2\n", "[solver.even-odd]\ntolerance = 1e-3\n"),
        ("recurrent-backprop]\nadjoint-steps = 12\n", "[solver.even-odd]\ntolerance = 1e-3\n"),
    ] {
        let steps = if credit.contains("adjoint") { "free-steps = 40\n" } else { STEPS };
        let recipe = recipe(DENSE, &format!("{SIGMOID}[credit.{credit}{steps}{stops}"));
        let of = |r: Option<usize>| -> Box<dyn Objective> {
            let rows = r.map_or(0..8, |r| r..r + 1);
            Box::new(Given { gradient: g.rows_view(rows).to_mat() })
        };
        let error = apart(&recipe, &of);
        assert!(error < 1e-11, "{credit}: {error:e}");
    }
}

/// Gradients against central differences where clipped units are outside their box, and through statistics of a sample.
#[test]
fn gradients_are_those_of_the_loss() {
    let settling = "[neuron.settle]\nactivation = \"hard-sigmoid\"\n[wiring.dense]\ngain = 3.0\n[credit.bptt]\nsteps = 4\n";
    let layered = "[neuron.relu]\n[credit.backprop]\n[objective.softmax-cross-entropy]\n";
    let of_batch = "[norm.batch]\nstatistics = \"batch\"\n";
    for tables in [settling.into(), format!("{layered}[norm.layer]\n"), format!("{layered}{of_batch}")] {
        let error = crate::common::against_differences(&recipe(DENSE, &tables));
        assert!(error < 1e-6, "{error:e}\n{tables}");
    }
}

/// Phases that have settled give the adjoint's gradient: through soft pooling, whose choice bends with the state and with the
/// weight, with feedback weights of their own, and with a readout that a turning nudge sees in the complex plane.
#[test]
fn settled_phases_give_the_gradient() {
    let soft = "[1, 6, 6]\nlayers = [{ image = [1, 6, 6] }, { filters = 2, kernel = 3, padding = 1, pool = { soft = { size = 2 } } }, \
        { filters = 3, kernel = 3, padding = 1, pool = { soft = { size = 3 } } }, 5]";
    let long = "free-steps = 150\nnudged-steps = 150\n";
    let field = "[wiring.conv]\nfeedback = \"vector-field\"\nangle = 30.0\n";
    let softmax = "[objective.softmax-cross-entropy]\n";
    let cases = [
        (soft, "eq-prop]\nbeta = 1e-3\ncorrected = true\n", field),
        (soft, "eq-prop]\nbeta = 1e-3\n", "[wiring.conv]\n"),
        (soft, "holomorphic-eq-prop]\nbeta = 0.1\npoints = 6\n", "[wiring.conv]\n"),
        (DENSE, "holomorphic-eq-prop]\nbeta = 0.1\npoints = 6\nperiods = 1\n", softmax),
        (DENSE, "holomorphic-eq-prop]\nbeta = 0.1\npoints = 6\n", softmax),
    ];
    for (net, credit, tables) in cases {
        let rule = recipe(net, &format!("{SIGMOID}[credit.{credit}{long}{tables}"));
        let adjoint = "recurrent-backprop]\nfree-steps = 150\nadjoint-steps = 150\n";
        let exact = recipe(net, &format!("{SIGMOID}[credit.{adjoint}{tables}"));
        let batch = alone(&batch(&rule.build().unwrap(), 5), 3);
        let objective = rule.objective.build();
        let error =
            relative_error(&gradient(&rule, &batch, &*objective), &gradient(&exact, &batch, &*objective));
        assert!(error < 1e-4, "{error:e}\n{net}\n{credit}");
    }
    let unrolled = recipe(soft, &format!("{SIGMOID}[credit.bptt]\nsteps = 3\n[wiring.conv]\n"));
    let error = crate::common::against_differences(&unrolled);
    assert!(error < 1e-6, "{error:e}");
}
