//! Rules that learn with what is at hand at every step: each is the gradient where what it leaves out is nothing, and differs from it
//! elsewhere.

use super::{LEAKY, LOOP, batch, lively, recipe, smooth};
use crate::common::{gradient, relative_error};
use bouton::network::Network;

const RULES: [&str; 5] = ["bptt", "ostl", "snap-1", "d-rtrl", "e-prop"];

/// The gradients of all rules, in this order, in a network of smooth spikes that `change` has changed.
fn gradients(layers: &str, rest: &str, change: impl Fn(&mut Network)) -> [Vec<f64>; 5] {
    let units = smooth("lif", "surrogate = { sigmoid = 3.0 }");
    RULES.map(|rule| {
        let recipe = recipe(layers, &format!("[time]\nreading = \"each\"\n{units}{rest}[credit.{rule}]\n"));
        let mut network = recipe.build().unwrap();
        change(&mut network);
        gradient(&recipe, &mut network, &batch(8)).0
    })
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Whether two gradients point into much the same direction, but not into the same.
fn near_but_not_same(a: &[f64], b: &[f64]) -> bool {
    (0.3..1.0 - 1e-6).contains(&cosine(a, b))
}

#[test]
fn one_population_however_it_is_joined_with_itself_is_learned_exactly_by_ostl_alone() {
    for more in ["", "delay = 2\n", "autapses = false\n"] {
        let [bptt, ostl, snap, diagonal, e_prop] =
            gradients("[4, 6, 3]", &format!("{LEAKY}{LOOP}{more}"), |_| ());
        assert!(relative_error(&ostl, &bptt) < 1e-12, "{more}");
        assert!(near_but_not_same(&snap, &bptt) && near_but_not_same(&diagonal, &bptt), "{more}");
        assert!(relative_error(&diagonal, &e_prop) < 1e-12, "{more}: one population has one teacher");
        assert_eq!(relative_error(&snap, &diagonal) < 1e-12, more.contains("autapses"), "{more}");
    }
}

#[test]
fn units_that_are_joined_with_themselves_alone_are_learned_exactly_by_snap_1() {
    let alone = |network: &mut Network| {
        let c = network.connections.iter_mut().find(|c| c.name == "loop").unwrap();
        let n = c.weight.mat().cols();
        let keep = |(i, w): (usize, &mut f64)| *w = if i % (n + 1) == 0 { 0.7 } else { 0.0 };
        c.weight.update(|mut w| w.slice_mut::<f64>().iter_mut().enumerate().for_each(keep));
    };
    let [bptt, ostl, snap, diagonal, _] = gradients("[4, 6, 3]", &format!("{LEAKY}{LOOP}"), alone);
    assert!(relative_error(&snap, &bptt) < 1e-12 && relative_error(&ostl, &bptt) < 1e-12);
    assert!(near_but_not_same(&diagonal, &bptt), "{}", cosine(&diagonal, &bptt));
}

/// Whatever the layer above remembers does not come down; where it remembers nothing, nothing is left out.
#[test]
fn signals_of_the_same_step_are_all_there_is_if_nothing_above_remembers() {
    let [bptt, ostl, snap, diagonal, e_prop] = gradients("[4, 6, 5, 3]", LEAKY, |_| ());
    assert!(near_but_not_same(&ostl, &bptt), "{}", cosine(&ostl, &bptt));
    assert!(ostl == snap && snap == diagonal && diagonal != e_prop);
    let forgets =
        "[population.hidden2.neuron.lif]\ntau = 1e-3\nreset = \"none\"\nthreshold = 0.5\nsmooth = true\n";
    let [bptt, ostl, _, diagonal, _] = gradients("[4, 6, 5, 3]", &format!("{LEAKY}{forgets}"), |_| ());
    assert!(relative_error(&ostl, &bptt) < 1e-12 && relative_error(&diagonal, &bptt) < 1e-12);
}

/// What arrives a step later has no part in the step that sent it.
#[test]
fn signals_of_the_same_step_wait_for_no_delay() {
    let late = format!("{LEAKY}[connection.hidden1-hidden2]\ndelay = 1\n");
    let of_first = |g: &[f64]| g[..24].iter().any(|g| *g != 0.0);
    let [bptt, ostl, snap, diagonal, _] = gradients("[4, 6, 5, 3]", &late, |_| ());
    assert!(of_first(&bptt) && ![ostl, snap, diagonal].iter().any(|g| of_first(g)));
}

/// On spikes as they are, every rule learns every layer that it teaches.
#[test]
fn spikes_are_learned_by_all_rules() {
    for rule in RULES {
        let recipe = lively(&format!("{LOOP}[credit.{rule}]\n"));
        let g = gradient(&recipe, &mut recipe.build().unwrap(), &batch(8)).0;
        assert!(g.iter().filter(|g| **g != 0.0).count() > g.len() / 2, "{rule}");
    }
}
