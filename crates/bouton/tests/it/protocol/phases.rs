//! Which weights a phase sees, and what reaches feedback weights: small networks, worked out by hand.

use crate::common::{batch, central_differences, recipe};
use bouton::credit::{Batch, GradCollector};
use bouton::network::{Feedback, Network, ParamId};
use bouton::optim::Updater;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::{DType, Mat};

/// One linear output on the input: s = d + β(y − s) settles in one sweep at (d + βy)/(1 + β), and weights move after each.
#[test]
fn continual_weights_move_between_sweeps() {
    for (nudge, sign) in [("positive", 1.0), ("negative", -1.0)] {
        let recipe = recipe(
            &[20, 3],
            &format!(
                "[neuron.settle]\nactivation = \"hard-sigmoid\"\noutput = \"linear\"\n[credit.continual-eq-prop]\nbeta = 0.25\n\
                 nudge = \"{nudge}\"\nfree-steps = 2\nnudged-steps = 3\n"
            ),
        );
        let mut network = recipe.build().unwrap();
        let one = batch(&network, 2).first(1);
        let (x, label) = (one.x.to_f64s(), one.target.view(0..1).class(0));
        let mut w = network.connections[0].weight.mat().to_f64s();
        let mut b = network.populations[1].bias.as_ref().unwrap().mat().to_f64s();
        let drive =
            |w: &[f64], b: &[f64], j: usize| b[j] + (0..20).map(|i| w[20 * j + i] * x[i]).sum::<f64>();
        let (beta, mut s) = (0.25 * sign, (0..3).map(|j| drive(&w, &b, j)).collect::<Vec<_>>());
        for _ in 0..3 {
            for j in 0..3 {
                let y = f64::from(u8::from(j == label));
                let next = (drive(&w, &b, j) + beta * y) / (1.0 + beta);
                let step = 0.1 / beta * (next - s[j]);
                s[j] = next;
                b[j] += step;
                (0..20).for_each(|i| w[20 * j + i] += step * x[i]);
            }
        }
        let mut updater = Updater::new(&network, recipe.optim.build());
        let mut credit = recipe.credit.build(&recipe.solver, &network, 1).unwrap();
        credit.learn(&mut network, &one, &*recipe.objective.build(), &mut updater, &Key::new(1)).unwrap();
        assert_eq!(updater.updates(), 3, "an update after every sweep");
        let found = network.connections[0].weight.mat().to_f64s();
        assert!(found.iter().zip(&w).all(|(a, b)| (a - b).abs() < 1e-12), "{nudge}: {found:?} {w:?}");
    }
}

fn field(angle: f64, homeostasis: f64) -> Recipe {
    recipe(
        &[20, 7, 6, 5],
        &format!(
            "[neuron.settle]\nactivation = \"shifted-sigmoid\"\n[wiring.dense]\nfeedback = \"vector-field\"\nangle = {angle:?}\n\
             homeostasis = {homeostasis:?}\n[credit.eq-prop]\nbeta = 0.2\nfree-steps = 9\nnudged-steps = 3\n"
        ),
    )
}

fn gradients(recipe: &Recipe, network: &mut Network, batch: &Batch) -> GradCollector {
    let mut sink = GradCollector::default();
    let mut credit = recipe.credit.build(&recipe.solver, network, 8).unwrap();
    credit.learn(network, batch, &*recipe.objective.build(), &mut sink, &Key::new(1)).unwrap();
    sink
}

/// Weights of both directions at 0° are the same, at 180° opposite, at 90° unlike, and of one size.
#[test]
fn feedback_begins_at_its_angle() {
    for (angle, cosine) in [(0.0, 1.0), (60.0, 0.5), (90.0, 0.0), (120.0, -0.5), (180.0, -1.0)] {
        let network = field(angle, 0.0).build().unwrap();
        for c in network.connections.iter().skip(1) {
            let Feedback::Field(back) = &c.feedback else { panic!("{}", c.name) };
            let (w, b) = (c.weight.mat().to_f64s(), back.mat().to_f64s());
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
            let found = dot(&w, &b) / (dot(&w, &w) * dot(&b, &b)).sqrt();
            // Random matrices of some forty weights are orthogonal up to 1/√40.
            let room = if cosine == 1.0 || cosine == -1.0 { 1e-12 } else { 0.45 };
            assert!((found - cosine).abs() < room, "{angle}: {found}");
        }
    }
}

/// λ/n ‖W_f − W_b‖² for n = 18 settling units adds 2λ/n (W_f − W_b) to one gradient and takes it from the other.
#[test]
fn homeostasis_draws_both_directions_together() {
    let (without, with) = (field(60.0, 0.0), field(60.0, 0.9));
    let mut network = with.build().unwrap();
    let batch = batch(&network, 5);
    let (plain, held) =
        (gradients(&without, &mut without.build().unwrap(), &batch), gradients(&with, &mut network, &batch));
    for (id, c) in network.connections.iter().enumerate().skip(1) {
        let apart: Vec<f64> = c
            .weight
            .mat()
            .to_f64s()
            .iter()
            .zip(c.back().mat().to_f64s())
            .map(|(w, b)| 2.0 * 0.9 / 18.0 * (w - b))
            .collect();
        assert!(apart.iter().any(|d| d.abs() > 1e-3));
        for (param, sign) in [(ParamId::weight(id), 1.0), (ParamId::feedback(id), -1.0)] {
            let more = held.values(param).into_iter().zip(plain.values(param)).map(|(a, b)| a - b);
            assert!(more.zip(&apart).all(|(m, d)| (m - sign * d).abs() < 1e-12), "{param:?}");
        }
    }
    let mut updater = Updater::new(&network, with.optim.build());
    let before =
        [network.connections[1].weight.mat().to_f64s(), network.connections[1].back().mat().to_f64s()];
    let mut credit = with.credit.build(&with.solver, &network, 8).unwrap();
    for k in 1..3 {
        let now = gradients(&with, &mut network, &batch);
        let last =
            [network.connections[1].weight.mat().to_f64s(), network.connections[1].back().mat().to_f64s()];
        credit.learn(&mut network, &batch, &*with.objective.build(), &mut updater, &Key::new(1)).unwrap();
        let next =
            [network.connections[1].weight.mat().to_f64s(), network.connections[1].back().mat().to_f64s()];
        for (i, param) in [ParamId::weight(1), ParamId::feedback(1)].into_iter().enumerate() {
            let g = now.values(param);
            let right = (0..g.len()).all(|j| (next[i][j] - (last[i][j] - 0.1 * g[j])).abs() < 1e-12);
            assert!(right, "{param:?}: update {k} takes the whole gradient, once");
        }
    }
    assert_ne!(before[0], network.connections[1].weight.mat().to_f64s());
}

/// Through max pooling a phase's gradient takes the largest units of its own last states, not of the sweep before.
#[test]
fn pools_choose_from_the_last_states_of_a_phase() {
    let text = "precision = \"f64\"\n[task.synthetic]\nshape = [1, 4, 4]\nclasses = 5\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
         [network]\nlayers = [{ image = [1, 4, 4] }, { filters = 2, kernel = 3, padding = 1 },\n\
         { filters = 3, kernel = 3, padding = 1, pool = { max = 2 } }, 5]\n[neuron.settle]\nactivation = \"shifted-sigmoid\"\n\
         [wiring.conv]\ngain = 3.0\n[optim.sgd]\nlr = 0.1\n[credit.eq-prop]\nbeta = 2.0\nnudge = \"symmetric\"\n\
         free-steps = 3\nnudged-steps = 3";
    let recipe = Recipe::parse(text, "test").unwrap();
    let mut network = recipe.build().unwrap();
    let batch = batch(&network, 3);
    let found = gradients(&recipe, &mut network, &batch).values(ParamId::weight(1));
    let credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
    let phases = credit.phases(&network, &batch, &*recipe.objective.build(), &Key::new(1)).unwrap();
    // Σ_k −1/(2β_k n) ⟨P_kᵀ(s_post), W s_pre⟩ is linear in W.
    let of = |network: &Network| -> f64 {
        let nudged = phases.iter().filter(|phase| phase.beta != 0.0);
        let term = |phase: &bouton::credit::PhaseStates| {
            let c = &network.connections[1];
            let zeros = |cols| Mat::zeros(DType::F64, 8, cols);
            let (mut drive, mut choice, mut wide) = (zeros(12), zeros(c.pool_caches()), zeros(c.scratch()));
            c.par_forward(phase.out[1].view(), drive.view_mut(), choice.view_mut());
            c.wiring.par_forward(&c.weight, phase.out[1].view(), wide.view_mut());
            let post = c.post_factors(choice.view(), phase.out[2].view(), false).view().to_mat();
            let product: f64 = post.to_f64s().iter().zip(wide.to_f64s()).map(|(a, b)| a * b).sum();
            -product / (16.0 * phase.beta)
        };
        nudged.map(term).sum()
    };
    let all = central_differences(&mut network, &mut |network| of(network));
    let parameters = network.parameters();
    let sizes =
        parameters.iter().take_while(|(id, ..)| *id != ParamId::weight(1)).map(|(.., m)| m.to_f64s().len());
    let expected = &all[sizes.sum()..][..found.len()];
    let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-7);
    assert!(close && found.iter().any(|g| g.abs() > 1e-3), "{found:?} {expected:?}");
}
