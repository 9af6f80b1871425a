//! Layer-wise rules: where their fixed points are, what a single update is, and that nothing comes back from the output.

use crate::common::{batch, gradient, relative_error};
use bouton::credit::Batch;
use bouton::network::{Network, ParamId};
use bouton::optim::Updater;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::Mat;

/// Eight numbers in, some linear units, two classes.
fn recipe(units: usize, rest: &str) -> Recipe {
    let text = format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = [1, 2, 4]\nclasses = 2\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
         [network]\nlayers = [8, {units}, 2]\n[neuron.rate]\nactivation = \"linear\"\n[wiring.dense]\nbias = \"none\"\n\
         [objective.softmax-cross-entropy]\n{rest}"
    );
    let recipe = Recipe::parse(&text, "test").unwrap_or_else(|e| panic!("{e}\n{text}"));
    recipe.check().unwrap_or_else(|e| panic!("{e}: {:?}", e.hint()));
    recipe
}

/// Variances along the axes of a rotated frame.
const SPECTRUM: [f64; 8] = [5.0, 3.0, 2.0, 1.2, 0.7, 0.4, 0.2, 0.1];

/// Samples whose second moments are exactly those of the spectrum along the rows of the frame: ± each axis.
fn spectrum(network: &Network) -> (Batch, Mat) {
    // A Householder reflection: its columns are a frame.
    let v: Vec<f64> = (0..8).map(|k| f64::from(k) - 2.3).collect();
    let norm: f64 = v.iter().map(|v| v * v).sum();
    let frame =
        Mat::from_fn(network.dtype, 8, 8, |r, c| f64::from(u8::from(r == c)) - 2.0 * v[r] * v[c] / norm);
    let at = |s: usize, j: usize| {
        let (axis, sign) = (s / 2, if s.is_multiple_of(2) { 1.0 } else { -1.0 });
        sign * (8.0 * SPECTRUM[axis]).sqrt() * frame.get(axis, j)
    };
    let x = Mat::from_fn(network.dtype, 16, 8, at);
    let target = (0..16).map(|i| (i % 2) as u16).collect::<Vec<u16>>().into();
    (Batch { x, target, ids: (0..16).collect(), spans: None }, frame)
}

/// The hidden weights after so many updates at one rate.
fn learned(units: usize, rule: &str, rate: f64, updates: u64) -> (Mat, Mat) {
    let recipe = recipe(units, &format!("[optim.sgd]\nlr = {rate}\n{rule}"));
    let mut network = recipe.build().unwrap();
    let (samples, frame) = spectrum(&network);
    let mut updater = Updater::new(&network, recipe.optim.build());
    let mut credit = recipe.credit.build(&recipe.solver, &network, 16).unwrap();
    for k in 0..updates {
        credit.learn(&mut network, &samples, &*recipe.objective.build(), &mut updater, &Key::new(k)).unwrap();
    }
    (network.connections[0].weight.mat().clone(), frame)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn row(mat: &Mat, r: usize) -> Vec<f64> {
    (0..mat.cols()).map(|c| mat.get(r, c)).collect()
}

#[test]
fn oja_finds_the_first_component_of_length_one() {
    let (w, frame) = learned(1, "[credit.hebbian]\nrule = \"oja\"\n", 0.01, 4000);
    let (w, e) = (row(&w, 0), row(&frame, 0));
    assert!((dot(&w, &e).abs() - 1.0).abs() < 1e-12 && (dot(&w, &w) - 1.0).abs() < 1e-12);
}

/// In order, with signs that are free; a rule that finds the subspace alone mixes them.
#[test]
fn sanger_finds_components_in_order_and_oja_their_subspace() {
    let (w, frame) = learned(4, "[credit.hebbian]\nrule = \"sanger\"\n", 0.01, 40_000);
    for i in 0..4 {
        assert!((dot(&row(&w, i), &row(&frame, i)).abs() - 1.0).abs() < 1e-12, "{i}");
    }
    let (w, frame) = learned(3, "[credit.hebbian]\nrule = \"subspace\"\n", 0.01, 20_000);
    let gram = |i: usize, k: usize| dot(&row(&w, i), &row(&w, k));
    for i in 0..3 {
        for k in 0..3 {
            assert!((gram(i, k) - f64::from(u8::from(i == k))).abs() < 1e-12, "{i} {k}");
        }
        let inside: f64 = (0..3).map(|axis| dot(&row(&w, i), &row(&frame, axis)).powi(2)).sum();
        assert!((inside - 1.0).abs() < 1e-12);
        assert!(dot(&row(&w, i), &row(&frame, i)).abs() < 0.999, "components stay mixed");
    }
}

/// −(what is handed over) for the hidden weights after one batch.
fn change(units: usize, rule: &str, x: &Mat) -> (Mat, Mat) {
    let recipe = recipe(units, &format!("[optim.sgd]\nlr = 0.1\n{rule}"));
    let mut network = recipe.build().unwrap();
    let target = (0..x.rows()).map(|i| (i % 2) as u16).collect::<Vec<u16>>().into();
    let samples = Batch { x: x.clone(), target, ids: (0..x.rows()).collect(), spans: None };
    let (g, _) = gradient(&recipe, &mut network, &samples);
    let w = network.connections[0].weight.mat().clone();
    let first: usize = network
        .parameters()
        .iter()
        .take_while(|(id, ..)| *id != ParamId::weight(0))
        .map(|p| p.2.rows() * p.2.cols())
        .sum();
    (Mat::from_fn(w.dtype(), units, 8, |r, c| -g[first + r * 8 + c]), w)
}

fn inputs() -> Mat {
    let mut draws = Key::new(5).stream();
    Mat::from_fn(bouton_kernels::DType::F64, 6, 8, |_, _| draws.normal() + 0.4)
}

/// Every rule of the table, written out sample by sample.
#[test]
fn single_updates_are_those_of_the_table() {
    let x = inputs();
    let n = x.rows() as f64;
    for rule in ["hebb", "covariance", "instar", "oja", "subspace", "sanger", "bcm"] {
        let (found, w) = change(3, &format!("[credit.hebbian]\nrule = \"{rule}\"\n"), &x);
        let y: Vec<Vec<f64>> =
            (0..6).map(|s| (0..3).map(|i| dot(&row(&w, i), &row(&x, s))).collect()).collect();
        let mean: Vec<f64> = (0..3).map(|i| y.iter().map(|y| y[i]).sum::<f64>() / n).collect();
        let mut expected = vec![vec![0.0; 8]; 3];
        for (s, y) in y.iter().enumerate() {
            for i in 0..3 {
                for j in 0..8 {
                    let (x, own) = (x.get(s, j), y[i] * w.get(i, j));
                    let others = |most: usize| (0..=most).map(|k| y[k] * w.get(k, j)).sum::<f64>();
                    expected[i][j] += match rule {
                        "hebb" => y[i] * x,
                        "covariance" => (y[i] - mean[i]) * x,
                        "instar" => y[i] * (x - w.get(i, j)),
                        "oja" => y[i] * (x - own),
                        "subspace" => y[i] * (x - others(2)),
                        "sanger" => y[i] * (x - others(i)),
                        _ => y[i] * y[i] * x,
                    } / n;
                }
            }
        }
        let (found, expected) = (found.to_f64s(), expected.concat());
        assert!(relative_error(&found, &expected) < 1e-12, "{rule}");
    }
}

/// θ follows the mean square of the answers, and a unit below it unlearns.
#[test]
fn the_threshold_of_bcm_slides_and_one_pattern_remains() {
    // Two patterns at right angles, each half of the time: y = θ = 1/p = 2 for one, 0 for the other.
    let recipe = recipe(1, "[optim.sgd]\nlr = 0.02\n[credit.hebbian]\nrule = \"bcm\"\ntau = 4.0\n");
    let mut network = recipe.build().unwrap();
    let x = Mat::from_fn(network.dtype, 2, 8, |s, j| f64::from(u8::from(s == j)));
    network
        .visit(&mut |name, mat| {
            if name.contains("input-hidden1") {
                mat.slice_mut::<f64>()[..2].copy_from_slice(&[0.6, 0.5]);
            }
            Ok(())
        })
        .unwrap();
    let samples = Batch { x, target: vec![0_u16, 1].into(), ids: vec![0, 1], spans: None };
    let mut updater = Updater::new(&network, recipe.optim.build());
    let mut credit = recipe.credit.build(&recipe.solver, &network, 2).unwrap();
    for k in 0..20_000 {
        credit.learn(&mut network, &samples, &*recipe.objective.build(), &mut updater, &Key::new(k)).unwrap();
    }
    let w = network.connections[0].weight.mat();
    assert!((w.get(0, 0) - 2.0).abs() < 1e-9 && w.get(0, 1).abs() < 1e-9, "{} {}", w.get(0, 0), w.get(0, 1));
    let mut theta = 0.0;
    credit
        .visit(&mut |name, mat| {
            if name.starts_with("credit.memory") {
                theta = mat.get(0, 0);
            }
            Ok(())
        })
        .unwrap();
    assert!((theta - 2.0).abs() < 1e-9);
}

#[test]
fn ranked_units_learn_as_written_out() {
    let x = inputs();
    for (p, k) in [(2.0, 2), (3.0, 3)] {
        let keys = format!("[credit.krotov-hopfield]\np = {p:?}\nrank = {k}\nstrength = 0.3\n");
        let (found, w) = change(4, &keys, &x);
        let mut expected = vec![vec![0.0; 8]; 4];
        for s in 0..6 {
            let lens = |w: f64| w.signum() * w.abs().powf(p - 1.0);
            let current: Vec<f64> =
                (0..4).map(|i| (0..8).map(|j| lens(w.get(i, j)) * x.get(s, j)).sum()).collect();
            let mut order = [0, 1, 2, 3];
            order.sort_by(|a: &usize, b: &usize| current[*b].total_cmp(&current[*a]));
            for (unit, g) in [(order[0], 1.0), (order[k - 1], -0.3)] {
                (0..8).for_each(|j| expected[unit][j] += g * (x.get(s, j) - current[unit] * w.get(unit, j)));
            }
        }
        let expected = expected.concat();
        let most = expected.iter().fold(0.0_f64, |m, d| m.max(d.abs()));
        let expected: Vec<f64> = expected.iter().map(|d| d / most).collect();
        assert!(relative_error(&found.to_f64s(), &expected) < 1e-12, "{p}");
    }
}

#[test]
fn soft_winners_learn_as_written_out() {
    let x = inputs();
    for (anti, adaptive) in [(true, true), (true, false), (false, true)] {
        let keys = format!("[credit.soft-hebb]\nsharpness = 1.7\nanti = {anti}\nadaptive = {adaptive}\n");
        let (found, w) = change(4, &keys, &x);
        let mut expected = vec![vec![0.0; 8]; 4];
        for s in 0..6 {
            let u: Vec<f64> = (0..4).map(|i| dot(&row(&w, i), &row(&x, s))).collect();
            let sum: f64 = u.iter().map(|u| (1.7 * u).exp()).sum();
            let best = (0..4).max_by(|a, b| u[*a].total_cmp(&u[*b])).unwrap();
            for i in 0..4 {
                let y = (1.7 * u[i]).exp() / sum * if anti && i != best { -1.0 } else { 1.0 };
                (0..8).for_each(|j| expected[i][j] += y * (x.get(s, j) - u[i] * w.get(i, j)));
            }
        }
        let most = expected.concat().iter().fold(0.0_f64, |m, d| m.max(d.abs()));
        for (i, row_of) in expected.iter_mut().enumerate() {
            let rate = if adaptive { (dot(&row(&w, i), &row(&w, i)).sqrt() - 1.0).abs().sqrt() } else { 1.0 };
            row_of.iter_mut().for_each(|d| *d *= rate / most);
        }
        assert!(relative_error(&found.to_f64s(), &expected.concat()) < 1e-8, "{anti} {adaptive}");
    }
}

/// A unit that always wins comes to weights of length 1 in the norm of its rule.
#[test]
fn weights_of_winners_come_to_length_one() {
    for (keys, p) in [
        ("[credit.krotov-hopfield]\n", 2.0),
        ("[credit.krotov-hopfield]\np = 3.0\n", 3.0),
        ("[credit.soft-hebb]\n", 2.0),
    ] {
        let recipe = recipe(1, &format!("[optim.sgd]\nlr = 0.002\n{keys}"));
        let mut network = recipe.build().unwrap();
        let x = Mat::from_fn(network.dtype, 1, 8, |_, j| 0.2 + 0.1 * j as f64);
        let samples = Batch { x, target: vec![0_u16].into(), ids: vec![0], spans: None };
        let mut updater = Updater::new(&network, recipe.optim.build());
        let mut credit = recipe.credit.build(&recipe.solver, &network, 1).unwrap();
        for k in 0..6000 {
            credit
                .learn(&mut network, &samples, &*recipe.objective.build(), &mut updater, &Key::new(k))
                .unwrap();
        }
        let w = row(network.connections[0].weight.mat(), 0);
        let length = w.iter().map(|w| w.abs().powf(p)).sum::<f64>();
        assert!((length - 1.0).abs() < 1e-2, "{keys}: {length}");
    }
}

/// Filters learn from every place alike: the sum over places is what a unit would learn that sees all of them as samples.
#[test]
fn filters_learn_from_all_places() {
    let conv = "precision = \"f64\"\n[task.synthetic]\nshape = [1, 2, 4]\nclasses = 2\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
         [network]\nlayers = [{ image = [1, 2, 4] }, { filters = 3, kernel = 2, stride = 2 }, 2]\n[neuron.rate]\nactivation = \"linear\"\n\
         [wiring.conv]\nbias = \"none\"\n[objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.1\n";
    for rule in
        ["[credit.hebbian]\nrule = \"sanger\"\n", "[credit.soft-hebb]\n", "[credit.krotov-hopfield]\n"]
    {
        let recipe = Recipe::parse(&format!("{conv}{rule}"), "test").unwrap();
        recipe.check().unwrap();
        let mut network = recipe.build().unwrap();
        let samples = batch(&network, 3);
        let (g, _) = gradient(&recipe, &mut network, &samples);
        let w = network.connections[0].weight.mat().clone();
        let dense = Recipe::parse(
            &format!(
                "{}{rule}",
                conv.replace("shape = [1, 2, 4]", "shape = [1, 2, 2]")
                    .replace(
                        "[{ image = [1, 2, 4] }, { filters = 3, kernel = 2, stride = 2 }, 2]",
                        "[4, 3, 2]"
                    )
                    .replace("wiring.conv", "wiring.dense")
            ),
            "test",
        )
        .unwrap();
        let mut one = dense.build().unwrap();
        one.visit(&mut |name, mat| {
            if name.contains("input-hidden1") && mat.cols() == 4 {
                mat.copy_from(w.view());
            }
            Ok(())
        })
        .unwrap();
        // Both places of each sample, as samples of their own.
        let x =
            Mat::from_fn(w.dtype(), 16, 4, |s, k| samples.x.get(s / 2, (k / 2) * 4 + (s % 2) * 2 + k % 2));
        let target = (0..16).map(|i| (i % 2) as u16).collect::<Vec<u16>>().into();
        let places = Batch { x, target, ids: (0..16).collect(), spans: None };
        let (same, _) = gradient(&dense, &mut one, &places);
        let of = |network: &Network, g: &[f64]| -> Vec<f64> {
            let first: usize = network
                .parameters()
                .iter()
                .take_while(|(id, ..)| *id != ParamId::weight(0))
                .map(|p| p.2.rows() * p.2.cols())
                .sum();
            g[first..first + 12].to_vec()
        };
        assert!(relative_error(&of(&network, &g), &of(&one, &same)) < 1e-12, "{rule}");
    }
}

/// Targets change what the output learns, and nothing else; with `updates` hidden populations stop, and the count is kept.
#[test]
fn nothing_comes_back_and_hidden_populations_stop() {
    for rule in ["[credit.hebbian]\nupdates = 3\n", "[credit.soft-hebb]\nupdates = 3\n"] {
        let recipe = recipe(4, &format!("[optim.sgd]\nlr = 0.1\n{rule}"));
        let run = |flip: u16, batches: u64| {
            let mut network = recipe.build().unwrap();
            let mut samples = batch(&network, 3);
            samples.target = (0..8).map(|i| (i as u16 + flip) % 2).collect::<Vec<u16>>().into();
            let mut updater = Updater::new(&network, recipe.optim.build());
            let mut credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
            for k in 0..batches {
                credit
                    .learn(&mut network, &samples, &*recipe.objective.build(), &mut updater, &Key::new(k))
                    .unwrap();
            }
            let mut count = 0.0;
            credit
                .visit(&mut |name, mat| {
                    if name == "credit.batches" {
                        count = mat.get(0, 0);
                    }
                    Ok(())
                })
                .unwrap();
            (
                network.connections[0].weight.mat().to_f64s(),
                network.connections[1].weight.mat().to_f64s(),
                count,
            )
        };
        let (a, b) = (run(0, 3), run(1, 3));
        assert!(a.0 == b.0 && a.1 != b.1 && a.2 == 3.0);
        let more = run(0, 5);
        assert!(more.0 == a.0 && more.1 != a.1 && run(0, 2).0 != a.0);
    }
}
