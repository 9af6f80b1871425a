//! What goes back to what a network in time was shown, and networks that are fed step by step.

use super::*;
use crate::common::central_differences;
use bouton::credit::outside;
use bouton::objective::Given;

/// Gradients of ⟨g, outputs⟩, mean over samples: of parameters and of the input.
fn back(
    recipe: &Recipe,
    network: &mut Network,
    batch: &Batch,
    given: &Given,
) -> (Vec<f64>, Option<Vec<f64>>) {
    let mut credit = recipe.credit.build(&recipe.solver, network, batch.len()).unwrap();
    let found = outside::gradients(&mut *credit, network, batch, given, &Key::new(5), false);
    let (parameters, input) = found.unwrap();
    (parameters.flat(network), input.map(|g| g.to_f64s()))
}

fn value(recipe: &Recipe, network: &mut Network, batch: &Batch, given: &Given) -> f64 {
    let credit = recipe.credit.build(&recipe.solver, network, batch.len()).unwrap();
    let objective = recipe.objective.build();
    let out = outside::forward(&*credit, network, batch, &*objective, None).unwrap();
    let products = out.to_f64s().into_iter().zip(given.gradient.to_f64s()).map(|(s, g)| s * g);
    products.sum::<f64>() / batch.len() as f64
}

fn given(samples: usize) -> Given {
    Given { gradient: Mat::from_fn(DType::F64, samples, 3, |r, c| ((r * 5 + c * 3) % 7) as f64 - 3.0) }
}

/// As many samples as make several shards.
const SAMPLES: usize = 11;

#[test]
fn losses_from_outside_have_exact_gradients_of_parameters_and_input() {
    let spikes = smooth("lif", "surrogate = { sigmoid = 3.0 }");
    for (rest, encoder) in [
        (format!("{spikes}{LEAKY}{LOOP}{BPTT}"), "rows"),
        (format!("[time]\nreading = \"each\"\nsubsteps = 2\n{spikes}{LEAKY}{BPTT}"), "rows"),
        (format!("[time]\nreading = \"max\"\n{spikes}{LEAKY}{BPTT}"), "rows"),
        // What is delayed goes from section to section.
        (
            format!(
                "[time]\nreading = \"mean\"\nsubsteps = 2\n{spikes}{LEAKY}[connection.input-hidden1]\ndelay = 2\n\
                 {BPTT}checkpoint = 1\n"
            ),
            "rows",
        ),
        (format!("[neuron.ct-rnn]\ntau = 3.0\n{LOOP}{LEAKY}{BPTT}checkpoint = 2\n"), "rows"),
        (format!("[time]\nreading = \"sum\"\n[neuron.ct-rnn]\ntau = 3.0\n{LOOP}{LEAKY}{BPTT}"), "constant"),
    ] {
        let layers = if encoder == "rows" { "[4, 6, 3]" } else { "[20, 6, 3]" };
        let text = recipe_text(layers, &rest).replace("encoder.rows", &format!("encoder.{encoder}"));
        let recipe = Recipe::parse(&text, "test").unwrap();
        recipe.check().unwrap_or_else(|e| panic!("{e}\n{text}"));
        let (mut network, batch, given) = (recipe.build().unwrap(), batch(SAMPLES), given(SAMPLES));
        let (parameters, input) = back(&recipe, &mut network, &batch, &given);
        let of_weights =
            central_differences(&mut network, &mut |network| value(&recipe, network, &batch, &given));
        assert!(relative_error(&parameters, &of_weights) < 1e-7, "{rest}");
        let slope = |i: usize| {
            let moved = |by: f64, network: &mut Network| {
                let mut batch = batch.clone();
                batch.x.view_mut().slice_mut::<f64>()[i] += by;
                value(&recipe, network, &batch, &given)
            };
            (moved(1e-5, &mut network) - moved(-1e-5, &mut network)) / 2e-5
        };
        let slopes: Vec<f64> = (0..SAMPLES * 20).step_by(7).map(slope).collect();
        let found: Vec<f64> = input.unwrap().into_iter().step_by(7).collect();
        assert!(found.iter().filter(|g| **g != 0.0).count() > 4, "{rest}: a dead network proves nothing");
        assert!(relative_error(&found, &slopes) < 1e-7, "{rest}");
    }
}

/// Nothing goes back through spikes that were drawn, and parameters learn all the same.
#[test]
fn encoders_that_make_something_else_of_numbers_send_nothing_back() {
    let rest = format!("{}{LEAKY}{BPTT}", smooth("lif", ""));
    let text = recipe_text("[20, 6, 3]", &rest).replace("[encoder.rows]", "[encoder.poisson]\nrate = 0.5");
    let recipe = Recipe::parse(&text, "test").unwrap();
    let (parameters, input) = back(&recipe, &mut recipe.build().unwrap(), &batch(3), &given(3));
    assert!(input.is_none() && parameters.iter().any(|g| *g != 0.0));
}

/// All steps in one call, one in each call, or pieces of unequal length: the same bits, and those of a trained network's answers.
#[test]
fn pieces_of_a_sequence_come_to_the_bits_of_the_whole() {
    let spikes = "tau = 5.0\nthreshold = 0.3\nrefractory = 2\n";
    for rest in [
        format!(
            "[neuron.lif]\n{spikes}{LEAKY}{LOOP}delay = 2\n[connection.input-hidden1]\ndelay = 1\n{BPTT}"
        ),
        format!("[time]\nsubsteps = 3\n[neuron.alif]\n{spikes}{LEAKY}{LOOP}autapses = false\n{BPTT}"),
    ] {
        let recipe = recipe("[4, 6, 3]", &rest);
        let network = recipe.build().unwrap();
        let (time, batch) = (network.time.clone().unwrap(), batch(3));
        let x = network.seen(&time, batch.x.view(), &batch.ids, None);
        let (whole, end) = network.stream(&time, x.view(), &network.at_rest(&time, 3)).unwrap();
        for cuts in [vec![1, 2, 3, 4], vec![2], vec![1, 4]] {
            let (mut out, mut state, mut from) = (Mat::zeros(DType::F64, 0, 3), network.at_rest(&time, 3), 0);
            for to in cuts.into_iter().chain([5]) {
                let (said, next) = network.stream(&time, x.rows_view(from * 3..to * 3), &state).unwrap();
                out.append_rows(said.view());
                (state, from) = (next, to);
            }
            assert_eq!((&out, &state), (&whole, &end), "{rest}");
        }
        let credit = recipe.credit.build(&recipe.solver, &network, 3).unwrap();
        let free = credit.free(&network, &batch, &*recipe.objective.build()).unwrap();
        assert_eq!(free.out[network.output()], whole.rows_view(12..15).to_mat(), "the reading is `last`");
        assert!(end.out[1].to_f64s().iter().any(|z| *z != 0.0), "{rest}: silence proves nothing");
    }
}

#[test]
fn states_and_steps_of_another_width_are_refused() {
    let network = recipe("[4, 6, 3]", &format!("[neuron.lif]\n{LEAKY}{BPTT}")).build().unwrap();
    let other = recipe("[4, 7, 3]", &format!("[neuron.lif]\n{LEAKY}{BPTT}")).build().unwrap();
    let time = network.time.clone().unwrap();
    let said = |x: Mat, state| network.stream(&time, x.view(), &state).unwrap_err().to_string();
    let x = |rows, cols| Mat::zeros(DType::F64, rows, cols);
    assert!(said(x(2, 5), network.at_rest(&time, 2)).contains("2 rows of 5 numbers for 2 sequences"));
    assert!(said(x(3, 4), network.at_rest(&time, 2)).contains("3 rows of 4 numbers for 2 sequences"));
    assert!(said(x(0, 4), network.at_rest(&time, 2)).contains("0 rows"));
    assert!(said(x(2, 4), other.at_rest(&time, 2)).contains("none of this network"));
    assert!(said(x(2, 4), network.at_rest(&time, 0)).contains("none of this network"));
}
