//! Errors that go back through other weights than activity went forth: fixed ones, learned ones, and the signs of the forward ones.

use crate::common::{batch, gradient, relative_error};
use bouton::network::{Feedback, Network, ParamId};
use bouton::optim::Updater;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::Mat;

const WORDS: [&str; 5] = ["fixed", "kolen-pollack", "sign", "sign-fixed", "sign-redrawn"];

fn recipe(wiring: &str, rest: &str) -> Recipe {
    let text = format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = [1, 3, 2]\nclasses = 3\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
         [network]\nlayers = [6, 7, 7, 7, 3]\n[neuron.relu]\n[credit.backprop]\n[optim.sgd]\nlr = 0.1\n\
         [objective.softmax-cross-entropy]\n[wiring.dense]\ngain = 2.0\n{wiring}\n{rest}"
    );
    let recipe = Recipe::parse(&text, "test").unwrap_or_else(|e| panic!("{e}\n{text}"));
    recipe.check().unwrap_or_else(|e| panic!("{e}: {:?}", e.hint()));
    recipe
}

fn with(word: &str) -> Recipe {
    recipe(&format!("feedback = \"{word}\""), "")
}

/// B of a connection, as it is used.
fn back(network: &Network, name: &str) -> Mat {
    network.connections.iter().find(|c| c.name == name).unwrap().back().mat().clone()
}

const LAST: &str = "hidden3-output";

#[test]
fn errors_go_through_what_flows_back_and_weights_learn_from_what_went_forth() {
    for word in WORDS {
        let recipe = with(word);
        let mut network = recipe.build().unwrap();
        let samples = batch(&network, 3);
        let found = gradient(&recipe, &mut network, &samples).0;
        // The same network, which sends errors back as ever, with weights in the place of those of the way back: what only they decide
        // is equal, and the gradient of the last layer, which no error has passed, is as well.
        let tied = recipe_of_tied();
        let mut plain = tied.build().unwrap();
        let last = plain.connections.len() - 1;
        let (of_last, exact) = (ParamId::weight(last), gradient(&tied, &mut plain, &samples).0);
        let at = |network: &Network, g: &[f64], id: ParamId| -> Vec<f64> {
            let mut first = 0;
            for (other, _, mat) in network.parameters() {
                let len = mat.rows() * mat.cols();
                if other == id {
                    return g[first..first + len].to_vec();
                }
                first += len;
            }
            unreachable!()
        };
        assert_eq!(at(&network, &found, of_last), at(&plain, &exact, of_last), "{word}");
        let (mine, theirs) =
            (at(&network, &found, ParamId::weight(0)), at(&plain, &exact, ParamId::weight(0)));
        let (off, error) =
            (relative_error(&mine, &theirs), relative_error(&mine, &by_hand(&network, &samples.x, &samples)));
        assert!(off > 1e-2 && error < 1e-12, "{word}: {off} {error:e}");
    }
}

fn recipe_of_tied() -> Recipe {
    recipe("", "")
}

/// The gradient of the first weights, written out: δ_l = f'(a_l) ⊙ B_{l+1}ᵀ δ_{l+1}.
fn by_hand(network: &Network, x: &Mat, samples: &bouton::credit::Batch) -> Vec<f64> {
    let weights: Vec<Mat> = network.connections.iter().map(|c| c.weight.mat().clone()).collect();
    let backs: Vec<Mat> = network.connections.iter().map(|c| c.back().mat().clone()).collect();
    let bias =
        |l: usize| network.populations[l + 1].bias.as_ref().map(|b| b.mat().to_f64s()).unwrap_or_default();
    let mut sum = vec![0.0; weights[0].rows() * weights[0].cols()];
    for s in 0..x.rows() {
        let mut out = vec![(0..x.cols()).map(|c| x.get(s, c)).collect::<Vec<f64>>()];
        for (l, w) in weights.iter().enumerate() {
            let of = |i: usize| bias(l)[i] + (0..w.cols()).map(|j| w.get(i, j) * out[l][j]).sum::<f64>();
            let drive: Vec<f64> = (0..w.rows()).map(of).collect();
            out.push(if l + 1 < weights.len() { drive.iter().map(|d| d.max(0.0)).collect() } else { drive });
        }
        let logits = out.last().unwrap();
        let norm: f64 = logits.iter().map(|y| y.exp()).sum();
        let bouton::objective::Target::Classes(classes) = &samples.target else { unreachable!() };
        let class = usize::from(classes[s]);
        let mut delta: Vec<f64> = logits
            .iter()
            .enumerate()
            .map(|(k, y)| y.exp() / norm - f64::from(u8::from(k == class)))
            .collect();
        for l in (1..weights.len()).rev() {
            let of = |j: usize| (0..delta.len()).map(|i| backs[l].get(i, j) * delta[i]).sum::<f64>();
            delta = (0..backs[l].cols()).map(|j| if out[l][j] > 0.0 { of(j) } else { 0.0 }).collect();
        }
        for (i, delta) in delta.iter().enumerate() {
            for (j, x) in out[0].iter().enumerate() {
                sum[i * out[0].len() + j] += delta * x / x_rows(samples);
            }
        }
    }
    sum
}

fn x_rows(samples: &bouton::credit::Batch) -> f64 {
    samples.len() as f64
}

#[test]
fn feedback_at_no_angle_is_backpropagation_to_the_bit() {
    let [own, tied] = [recipe("feedback = \"fixed\"\nangle = 0", ""), recipe_of_tied()].map(|recipe| {
        let mut network = recipe.build().unwrap();
        let samples = batch(&network, 3);
        let mut sink = bouton::credit::GradCollector::default();
        let mut rule = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
        rule.learn(&mut network, &samples, &*recipe.objective.build(), &mut sink, &Key::new(1)).unwrap();
        (0..4).map(|c| sink.values(ParamId::weight(c))).collect::<Vec<_>>()
    });
    assert_eq!(own, tied);
}

#[test]
fn signs_are_those_of_the_weights_and_magnitudes_are_what_the_word_says() {
    let forth = |network: &Network| {
        network.connections.iter().find(|c| c.name == LAST).unwrap().weight.mat().to_f64s()
    };
    for word in ["sign", "sign-fixed", "sign-redrawn"] {
        let recipe = with(word);
        let mut network = recipe.build().unwrap();
        let first = back(&network, LAST).to_f64s();
        assert!(first.iter().zip(forth(&network)).all(|(b, w)| b * w > 0.0), "{word}");
        let sizes = |b: &[f64]| b.iter().map(|b| b.abs()).collect::<Vec<_>>();
        let alike = sizes(&first).windows(2).all(|two| two[0] == two[1]);
        assert_eq!(alike, word == "sign");
        // A sign that turns is followed.
        let c = network.connections.iter_mut().find(|c| c.name == LAST).unwrap();
        c.weight.update(|mut w| w.slice_mut::<f64>()[0] *= -1.0);
        assert_eq!(back(&network, LAST).get(0, 0), -first[0], "{word}");
        let samples = batch(&network, 3);
        let mut after = |key: u64| {
            let mut sink = bouton::credit::GradCollector::default();
            let mut rule = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
            rule.learn(&mut network, &samples, &*recipe.objective.build(), &mut sink, &Key::new(key))
                .unwrap();
            sizes(&back(&network, LAST).to_f64s())
        };
        let (one, two, again) = (after(1), after(2), after(1));
        assert!(one == again && (one != two) == (word == "sign-redrawn"), "{word}");
        // No two connections share them.
        let other = sizes(&back(&network, "hidden1-hidden2").to_f64s());
        assert!(word == "sign" || other != sizes(&back(&network, "hidden2-hidden3").to_f64s()), "{word}");
    }
}

/// Learns for some updates by plain descent with decay.
fn learned(word: &str, updates: u64, overrides: &[&str]) -> (Network, Recipe) {
    let recipe = with(word).with_overrides(overrides).unwrap();
    let mut network = recipe.build().unwrap();
    let samples = batch(&network, 3);
    let mut updater = Updater::new(&network, recipe.optim.build());
    let mut rule = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
    let objective = recipe.objective.build();
    for k in 0..updates {
        rule.learn(&mut network, &samples, &*objective, &mut updater, &Key::new(k)).unwrap();
    }
    (network, recipe)
}

#[test]
fn fixed_feedback_stays_and_learned_feedback_takes_the_same_updates() {
    let apart = |network: &Network| -> Vec<f64> {
        let c = network.connections.iter().find(|c| c.name == LAST).unwrap();
        c.weight.mat().to_f64s().iter().zip(c.back().mat().to_f64s()).map(|(w, b)| w - b).collect()
    };
    let (fixed, recipe) = learned("fixed", 20, &[]);
    let start = recipe.build().unwrap();
    assert_eq!(back(&fixed, LAST), back(&start, LAST));
    assert!(matches!(fixed.connections[3].feedback, Feedback::Fixed(_)));
    // What parts W from B shrinks by decay alone: (1 − 0.1·0.5)²⁰.
    let (aligned, recipe) = learned("kolen-pollack", 20, &["optim.sgd.decay=0.5"]);
    let before: Vec<f64> = apart(&recipe.build().unwrap()).iter().map(|d| d * 0.95_f64.powi(20)).collect();
    assert!(relative_error(&apart(&aligned), &before) < 1e-12);
    assert_ne!(back(&aligned, LAST), back(&recipe.build().unwrap(), LAST));
}

/// In time as well: random, learned and signed signals of e-prop through the readout's own way back.
#[test]
fn signals_in_time_go_the_same_ways() {
    let net = |wiring: &str, rule: &str| {
        let text = format!(
            "precision = \"f64\"\n[task.synthetic]\nshape = [1, 5, 4]\nclasses = 3\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
             [encoder.rows]\nsteps = 5\n[time]\nreading = \"each\"\n[network]\nlayers = [4, 6, 3]\n[optim.sgd]\nlr = 0.1\ndecay = 0.5\n\
             [neuron.lif]\ntau = 5.0\nthreshold = 0.5\nsmooth = true\n[population.output.neuron.leaky]\ntau = 4.0\n\
             [objective.softmax-cross-entropy]\n[wiring.dense]\ngain = 2.0\n{wiring}\n[credit.{rule}]\n"
        );
        let recipe = Recipe::parse(&text, "test").unwrap_or_else(|e| panic!("{e}\n{text}"));
        recipe.check().unwrap_or_else(|e| panic!("{e}: {:?}", e.hint()));
        recipe
    };
    let of_first = |recipe: &Recipe| {
        let mut network = recipe.build().unwrap();
        let samples = batch(&network, 3);
        let mut sink = bouton::credit::GradCollector::default();
        let mut rule = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
        rule.learn(&mut network, &samples, &*recipe.objective.build(), &mut sink, &Key::new(1)).unwrap();
        sink.values(ParamId::weight(0))
    };
    let tied = of_first(&net("", "e-prop"));
    for word in WORDS {
        let other = of_first(&net(&format!("feedback = \"{word}\""), "e-prop"));
        assert!(relative_error(&other, &tied) > 1e-2, "{word}");
        let traces = of_first(&net(&format!("feedback = \"{word}\""), "e-prop]\nevery = 5\n[update"));
        assert!(relative_error(&traces, &other) < 1e-12, "{word}");
    }
    assert_eq!(of_first(&net("feedback = \"kolen-pollack\"\nangle = 0", "e-prop")), tied);
    // Adaptive feedback comes nearer, by decay.
    let recipe = net("feedback = \"kolen-pollack\"", "e-prop");
    let (start, mut network) = (recipe.build().unwrap(), recipe.build().unwrap());
    let samples = batch(&network, 3);
    let mut updater = Updater::new(&network, recipe.optim.build());
    let mut rule = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
    rule.learn(&mut network, &samples, &*recipe.objective.build(), &mut updater, &Key::new(1)).unwrap();
    let apart = |network: &Network| -> Vec<f64> {
        let c = &network.connections[1];
        c.weight.mat().to_f64s().iter().zip(c.back().mat().to_f64s()).map(|(w, b)| w - b).collect()
    };
    let shrunk: Vec<f64> = apart(&start).iter().map(|d| d * 0.95).collect();
    assert!(relative_error(&apart(&network), &shrunk) < 1e-12);
    assert_ne!(network.connections[1].back().mat(), start.connections[1].back().mat());
}

/// Random feedback teaches: the loss falls, and the forward weights turn towards it (Lillicrap et al. 2016).
#[test]
fn weights_turn_towards_fixed_feedback() {
    let cosine = |network: &Network| {
        let c = network.connections.last().unwrap();
        let (w, b) = (c.weight.mat().to_f64s(), c.back().mat().to_f64s());
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        dot(&w, &b) / (dot(&w, &w) * dot(&b, &b)).sqrt()
    };
    let small = ["network.layers=[6,12,3]", "wiring.dense.gain=0.5"];
    let (network, recipe) = learned("fixed", 600, &small);
    let before = cosine(&recipe.build().unwrap());
    assert!(cosine(&network) > before + 0.3, "{before} {}", cosine(&network));
}

#[test]
fn feedback_that_no_error_passes_is_refused() {
    let text = |word: &str, rest: &str| {
        format!(
            "[task.synthetic]\nshape = [1, 3, 2]\nclasses = 3\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n[network]\nlayers = [6, 5, 3]\n\
             [optim.sgd]\nlr = 0.1\n[wiring.dense]\nfeedback = \"{word}\"\n{rest}"
        )
    };
    let settles = "[neuron.settle]\n[credit.eq-prop]\nbeta = 0.5\nfree-steps = 9\nnudged-steps = 3\n";
    for (word, rest) in
        [("fixed", settles), ("sign", settles), ("vector-field", "[neuron.relu]\n[credit.backprop]\n")]
    {
        let error = Recipe::parse(&text(word, rest), "test").and_then(|r| r.check()).expect_err(word);
        let hint = error.hint().unwrap_or_default();
        assert!(error.to_string().contains(word) && hint.contains("credit.backprop"), "{error}; {hint}");
    }
}
