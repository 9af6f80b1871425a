//! Predictive coding: where it is backpropagation, what it comes to at rest, and what its energy does.

use crate::common::{batch, central_differences, gradient, relative_error};
use bouton::credit::{Batch, PhaseStates};
use bouton::network::{Network, ParamId};
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::Mat;

const LAYERS: &str = "[6, 7, 8, 5, 3]";

fn recipe(layers: &str, credit: &str, rest: &str) -> Recipe {
    let wiring = if rest.contains("[wiring") { "" } else { "[wiring.dense]\ngain = 2.0\n" };
    let text = format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = [1, 3, 2]\nclasses = 3\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
         [network]\nlayers = {layers}\n[optim.sgd]\nlr = 0.1\n{wiring}[credit.{credit}\n{rest}"
    );
    let recipe = Recipe::parse(&text, "test").unwrap_or_else(|e| panic!("{e}\n{text}"));
    recipe.check().unwrap_or_else(|e| panic!("{e}: {:?}", e.hint()));
    recipe
}

fn found(recipe: &Recipe) -> Vec<f64> {
    let mut network = recipe.build().unwrap();
    let samples = batch(&network, 3);
    gradient(recipe, &mut network, &samples).0
}

const TANH: &str = "[neuron.rate]\n[objective.softmax-cross-entropy]\n";
const SQUARES: &str =
    "[neuron.rate]\nactivation = \"sigmoid\"\noutput = \"tanh\"\n[objective.squared-error]\n";

/// Of single gradients of a network, those of one parameter.
fn part(network: &Network, g: &[f64], wanted: impl Fn(ParamId) -> bool) -> Vec<f64> {
    let mut rest = g;
    let mut all = Vec::new();
    for (id, _, mat) in network.parameters() {
        let (of, after) = rest.split_at(mat.rows() * mat.cols());
        if wanted(id) {
            all.extend_from_slice(of);
        }
        rest = after;
    }
    all
}

#[test]
fn weights_that_learn_when_errors_arrive_learn_backpropagation() {
    let filters = "[{ image = [1, 3, 2] }, { filters = 3, kernel = 2, padding = 1 }, 8, 3]";
    for layers in [LAYERS, "[6, 3]", "[6, 9, 3]", filters] {
        for rest in [TANH, SQUARES] {
            let rest = if layers == filters { rest.to_owned() + "[wiring.conv]\n" } else { rest.to_owned() };
            let rest = &rest;
            let exact = found(&recipe(layers, "backprop]", rest));
            for values in ["output", "drive"] {
                let one = found(&recipe(layers, &format!("z-il]\nvalues = \"{values}\""), rest));
                assert!(relative_error(&one, &exact) < 1e-12, "{layers} {values} {rest}");
            }
        }
    }
}

#[test]
fn frozen_predictions_come_to_backpropagation_whatever_the_network() {
    let skip = format!("{TANH}[connection.skip]\nfrom = \"hidden1\"\nto = \"output\"\n");
    for rest in [TANH, SQUARES, &skip] {
        let exact = found(&recipe(LAYERS, "backprop]", rest));
        let of = |keys: &str| {
            relative_error(&found(&recipe(LAYERS, &format!("fixed-prediction]\n{keys}"), rest)), &exact)
        };
        assert!(of("") < 1e-12);
        assert!(of("rate = 0.1\nsteps = 500") < 1e-12);
        assert!(of("steps = 2") > 1e-4, "an error needs a step for each population");
        assert!(of("rate = 0.1\nsteps = 20") > 1e-3);
    }
}

#[test]
fn a_single_step_of_errors_is_a_part_of_backpropagation() {
    for rest in [TANH, SQUARES] {
        let plain = recipe(LAYERS, "backprop]", rest);
        let network = plain.build().unwrap();
        let last = network.connections.len() - 1;
        let of_output = |id| id == ParamId::weight(last) || id == ParamId::bias(network.output());
        let (exact, one) =
            (found(&plain), found(&recipe(LAYERS, "epc]\nsteps = 1\nrate = 0.03\nprecision = 2.0", rest)));
        let [hidden, whole] = [&one, &exact].map(|g| part(&network, g, |id| !of_output(id)));
        let hidden: Vec<f64> = hidden.iter().map(|g| g / 0.06).collect();
        assert!(relative_error(&hidden, &whole) < 1e-12);
        let [output, same] = [&one, &exact].map(|g| part(&network, g, of_output));
        assert!(relative_error(&output, &same) < 1e-12);
    }
}

/// Values and errors are coordinates of the same energy: what weights learn at rest is the same, whatever is predicted.
#[test]
fn at_rest_errors_and_values_agree() {
    let rest = |keys: &str| {
        found(&recipe(LAYERS, &format!("{keys}\ntolerance = 1e-14\nsteps = 20000\nrate = 0.1"), TANH))
    };
    let (values, errors) = (rest("predictive-coding]"), rest("epc]"));
    assert!(relative_error(&errors, &values) < 1e-9);
    let [heavy, same] = ["predictive-coding]", "epc]"]
        .map(|rule| rest(&format!("{rule}\nprecision = 3.0\noutput-precision = 0.5")));
    assert!(relative_error(&same, &heavy) < 1e-9 && relative_error(&heavy, &values) > 0.1);
    let drives = rest("predictive-coding]\nvalues = \"drive\"");
    assert!(relative_error(&drives, &values) > 1e-3, "what is predicted is another quantity");
}

/// With an output of vanishing precision nothing moves much, and the energy is that of the loss: the error falls with it.
#[test]
fn a_vanishing_precision_of_the_output_is_backpropagation() {
    for values in ["output", "drive"] {
        let exact = found(&recipe(LAYERS, "backprop]", TANH));
        let off = |precision: f64| {
            let keys = format!(
                "predictive-coding]\nvalues = \"{values}\"\noutput-precision = {precision}\nsteps = 20000\ntolerance = 1e-15"
            );
            let g: Vec<f64> = found(&recipe(LAYERS, &keys, TANH)).iter().map(|g| g / precision).collect();
            relative_error(&g, &exact)
        };
        let errors = [1e-2, 1e-3, 1e-4].map(off);
        let slopes = [0, 1].map(|k| (errors[k] / errors[k + 1]).log10());
        assert!(slopes.iter().all(|slope| (slope - 1.0).abs() < 0.1), "{values}: {errors:?}");
    }
}

/// F at rest, ½ rᵀS⁻¹r with S = 1 + Σ_{l≥2} (W_L…W_l)(W_L…W_l)ᵀ, of a deep linear network with r = y − W_L…W_1 x.
#[test]
fn a_deep_linear_network_rests_at_the_energy_of_its_formula() {
    let linear = "[neuron.rate]\nactivation = \"linear\"\n[objective.squared-error]\n";
    let recipe = recipe(LAYERS, "predictive-coding]\nsteps = 100000\nrate = 0.2\ntolerance = 1e-15", linear);
    let mut network = recipe.build().unwrap();
    network
        .visit(&mut |name, mat| {
            if name.contains("bias") {
                mat.fill(0.0);
            }
            Ok(())
        })
        .unwrap();
    let samples = batch(&network, 3);
    let settled = phases(&recipe, &network, &samples).remove(1);
    let weights: Vec<Mat> = network.connections.iter().map(|c| c.weight.mat().clone()).collect();
    let product = |a: &Mat, b: &dyn Fn(usize, usize) -> f64, cols: usize| {
        Mat::from_fn(a.dtype(), a.rows(), cols, |r, c| (0..a.cols()).map(|k| a.get(r, k) * b(k, c)).sum())
    };
    let outputs = weights.last().unwrap().rows();
    let mut ahead = Mat::from_fn(network.dtype, outputs, outputs, |r, c| f64::from(u8::from(r == c)));
    let mut s = ahead.clone();
    for w in weights.iter().skip(1).rev() {
        ahead = product(&ahead, &|k, c| w.get(k, c), w.cols());
        s = Mat::from_fn(network.dtype, outputs, outputs, |r, c| {
            s.get(r, c) + (0..ahead.cols()).map(|k| ahead.get(r, k) * ahead.get(c, k)).sum::<f64>()
        });
    }
    let whole = product(&ahead, &|k, c| weights[0].get(k, c), weights[0].cols());
    let mut expected = 0.0;
    for i in 0..samples.len() {
        let r: Vec<f64> = (0..outputs)
            .map(|o| {
                let y = f64::from(u8::from(samples.target.view(0..samples.len()).class(i) == o));
                y - (0..whole.cols()).map(|k| whole.get(o, k) * samples.x.get(i, k)).sum::<f64>()
            })
            .collect();
        expected += 0.5 * r.iter().zip(solve(&s, &r)).map(|(r, x)| r * x).sum::<f64>();
    }
    let found = energy(&recipe, &network, &samples, &settled);
    assert!((found - expected).abs() < 1e-10 * expected, "{found} {expected}");
}

/// Gaussian elimination, of a positive matrix.
fn solve(a: &Mat, b: &[f64]) -> Vec<f64> {
    let n = b.len();
    let mut rows: Vec<Vec<f64>> =
        (0..n).map(|r| (0..n).map(|c| a.get(r, c)).chain([b[r]]).collect()).collect();
    for k in 0..n {
        for r in (0..n).filter(|&r| r != k) {
            let factor = rows[r][k] / rows[k][k];
            for c in 0..=n {
                rows[r][c] -= factor * rows[k][c];
            }
        }
    }
    (0..n).map(|k| rows[k][n] / rows[k][k]).collect()
}

fn phases(recipe: &Recipe, network: &Network, samples: &Batch) -> Vec<PhaseStates> {
    let rule = recipe.credit.build(&recipe.solver, network, samples.len()).unwrap();
    rule.phases(network, samples, &*recipe.objective.build(), &Key::new(1)).unwrap()
}

/// Σ ½‖x − μ‖² + ½‖y − s‖² of a layered network at these outputs, written out.
fn energy(recipe: &Recipe, network: &Network, samples: &Batch, at: &PhaseStates) -> f64 {
    let mut sum = 0.0;
    let count = network.connections.len();
    for (l, c) in network.connections.iter().enumerate() {
        let pre = if l == 0 { &samples.x } else { &at.out[c.pre] };
        let bias = network.populations[c.post].bias.as_ref().unwrap().mat();
        for i in 0..samples.len() {
            for k in 0..network.populations[c.post].units {
                let drive = bias.get(0, k)
                    + (0..pre.cols()).map(|j| c.weight.mat().get(k, j) * pre.get(i, j)).sum::<f64>();
                let hidden = l + 1 < count;
                let linear = format!("{:?}", recipe.neuron).contains("activation: Linear") || !hidden;
                let predicted = if linear { drive } else { drive.tanh() };
                let value = if hidden {
                    at.out[c.post].get(i, k)
                } else {
                    f64::from(u8::from(samples.target.view(0..samples.len()).class(i) == k))
                };
                sum += 0.5 * (value - predicted).powi(2);
            }
        }
    }
    sum
}

/// What weights learn at rest is the derivative of the energy at rest, although values follow weights.
#[test]
fn weights_descend_the_energy_at_rest() {
    let squares = "[neuron.rate]\n[objective.squared-error]\n";
    let recipe =
        recipe("[6, 5, 4, 3]", "predictive-coding]\nsteps = 20000\nrate = 0.2\ntolerance = 1e-13", squares);
    let mut network = recipe.build().unwrap();
    let samples = batch(&network, 3);
    let found = gradient(&recipe, &mut network, &samples).0;
    let numeric = central_differences(&mut network, &mut |network| {
        energy(&recipe, network, &samples, &phases(&recipe, network, &samples)[1]) / samples.len() as f64
    });
    assert!(relative_error(&found, &numeric) < 1e-7, "{:e}", relative_error(&found, &numeric));
}

/// Weights that move at every step hand over what the energy asks at each: the sum over steps, if they do not move.
#[test]
fn incremental_updates_are_those_of_every_step() {
    let of = |keys: &str| found(&recipe(LAYERS, &format!("predictive-coding]\n{keys}"), TANH));
    for steps in [2, 3, 6] {
        let [more, less] =
            [steps, steps - 1].map(|steps| of(&format!("incremental = true\nsteps = {steps}")));
        let last: Vec<f64> = more.iter().zip(&less).map(|(a, b)| a - b).collect();
        assert!(relative_error(&last, &of(&format!("steps = {}", steps - 1))) < 1e-10, "{steps}");
    }
}

/// What weights from the input have learned at one step, all others feel at the next.
#[test]
fn weights_that_move_on_the_way_are_heard_at_the_next_step() {
    let last = |rest: &str| {
        let recipe = recipe(
            "[6, 7, 3]",
            "predictive-coding]\nincremental = true\nsteps = 8\nrate = 0.5",
            &format!("{TANH}{rest}"),
        );
        let mut network = recipe.build().unwrap();
        let samples = batch(&network, 3);
        let mut updater = recipe.updater(&network).unwrap();
        let mut credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
        credit.learn(&mut network, &samples, &*recipe.objective.build(), &mut updater, &Key::new(1)).unwrap();
        network.connections.last().unwrap().weight.mat().to_f64s()
    };
    let still = last("[connection.input-hidden1]\nlearn = false\n");
    assert!(relative_error(&last(""), &still) > 1e-9);
}

#[test]
fn nudges_to_both_sides_are_the_mean_of_one() {
    let of = |nudge: &str, beta: f64| {
        found(&recipe(LAYERS, &format!("predictive-coding]\nnudge = \"{nudge}\"\nbeta = {beta}"), TANH))
    };
    let [both, up, down] = ["symmetric", "positive", "negative"].map(|nudge| of(nudge, 0.3));
    let mean: Vec<f64> = up.iter().zip(&down).map(|(a, b)| 0.5 * (a + b)).collect();
    assert!(relative_error(&both, &mean) < 1e-12 && relative_error(&up, &down) > 1e-3);
    // Away from the target the output is where it was, up to the size of the nudge.
    let near = relative_error(&of("positive", 1e-4), &of("negative", 1e-4));
    assert!(near < 1e-3, "{near}");
}

/// Pairs of units are backpropagation up to β², whatever the network.
#[test]
fn pairs_of_units_come_near_to_backpropagation() {
    let skip = format!("{TANH}[connection.skip]\nfrom = \"hidden1\"\nto = \"output\"\n");
    for rest in [TANH, SQUARES, &skip] {
        let exact = found(&recipe(LAYERS, "backprop]", rest));
        let off = |beta: f64| {
            relative_error(
                &found(&recipe(LAYERS, &format!("dual-propagation]\nbeta = {beta}"), rest)),
                &exact,
            )
        };
        let errors = [0.2, 0.02].map(off);
        let slope = (errors[0] / errors[1]).log10();
        assert!((slope - 2.0).abs() < 0.1 && errors[1] < 1e-3, "{errors:?}");
    }
}

#[test]
fn samples_settle_alone() {
    let recipe = recipe(LAYERS, "predictive-coding]\nsteps = 2000\ntolerance = 1e-6", TANH);
    let mut network = recipe.build().unwrap();
    let samples = batch(&network, 3);
    let (whole, step) = gradient(&recipe, &mut network, &samples);
    let mut sum = vec![0.0; whole.len()];
    let mut sweeps = 0;
    for i in 0..samples.len() {
        let (g, step) = gradient(&recipe, &mut network, &samples.take(&[i]));
        sum.iter_mut().zip(g).for_each(|(sum, g)| *sum += g / samples.len() as f64);
        sweeps += step.nudged.sweeps;
    }
    assert!(relative_error(&whole, &sum) < 1e-12);
    assert_eq!((step.nudged.sweeps, step.nudged.unsettled, step.nudged.samples), (sweeps, 0, 8));
    assert!(sweeps < 8 * 2000);
    // Two shards and a rest: the mean is over the batch.
    let thrice: Vec<usize> = (0..24).map(|i| i % 8).collect();
    let (same, _) = gradient(&recipe, &mut network, &samples.take(&thrice));
    assert!(relative_error(&same, &whole) < 1e-12);
}

#[test]
fn inference_that_rises_is_refused_with_place_and_energy() {
    for rule in ["predictive-coding]\nrate = 1.9", "epc]\nrate = 1.9\nsteps = 9"] {
        let recipe =
            recipe(LAYERS, rule, "[neuron.rate]\nactivation = \"linear\"\n[objective.squared-error]\n");
        let mut network = recipe.build().unwrap();
        let samples = batch(&network, 3);
        let mut credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
        let mut sink = bouton::credit::GradCollector::default();
        let error = credit
            .learn(&mut network, &samples, &*recipe.objective.build(), &mut sink, &Key::new(1))
            .unwrap_err();
        let (text, hint) = (error.to_string(), error.hint().unwrap_or_default().to_owned());
        assert!(text.contains("does not descend") && text.contains("population"), "{text}");
        assert!(hint.contains(".rate, which is 1.9"), "{hint}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |credit: &str, rest: &str| {
        let text = format!(
            "[task.synthetic]\nshape = [1, 3, 2]\nclasses = 3\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
             [network]\nlayers = {LAYERS}\n[optim.sgd]\nlr = 0.1\n[credit.{credit}\n{rest}"
        );
        let refusal = Recipe::parse(&text, "test").and_then(|recipe| recipe.check());
        refusal.map_or_else(|e| e.to_string(), |()| panic!("{text}"))
    };
    let skip = format!("{TANH}[connection.skip]\nfrom = \"hidden1\"\nto = \"output\"\n");
    assert!(refused("z-il]", &skip).contains("past the next one"));
    assert!(refused("predictive-coding]", &format!("{TANH}[norm.batch]\n")).contains("sample by sample"));
    assert!(refused("epc]", "[neuron.settle]\n").contains("feed-forward"));
    let signs = "[neuron.sign]\n[objective.softmax-cross-entropy]\n";
    assert!(refused("dual-propagation]", signs).contains("jump between"));
    assert!(refused("predictive-coding]\nbeta = 0.1", TANH).contains("nudge"));
    assert!(
        refused("predictive-coding]\nnudge = \"symmetric\"\nincremental = true", TANH)
            .contains("climb the energy")
    );
    assert!(refused("epc]\nprecision = 30.0", TANH).contains("below 2"));
    assert!(refused("predictive-coding]\nprecision = 0.0", TANH).contains("precision"));
    assert!(refused("fixed-prediction]\nrate = 0.1", TANH).contains("steps to come to rest"));
}
