//! Fisher information and sensitivity of a batch, against one sample and one label at a time.

use bouton::anchor::Fisher;
use bouton::anchor::Importance;
use bouton::credit::Batch;
use bouton::credit::measure;
use bouton::network::ParamId;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::{DType, Mat};

const RECIPE: &str = "precision = \"f64\"\n[task.synthetic]\nshape = [1, 3, 3]\nclasses = 4\ntrain = 24\ntest = 4\n\
    batch = 6\nepochs = 1\n[network]\nlayers = [9, 7, 4]\n[neuron.relu]\n[norm.batch]\n[credit.backprop]\n\
    [objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.1\n";

/// One sample at a time, one label at a time, squared and weighted: what the batch computes at once.
#[test]
fn a_batch_gives_the_sum_of_single_samples() {
    sum_of_single_samples(RECIPE);
    sum_of_single_samples(&RECIPE.replace("norm.batch", "norm.layer"));
}

fn sum_of_single_samples(recipe: &str) {
    let recipe = Recipe::parse(recipe, "test").unwrap();
    let mut task_stream = bouton::task::stream::open(&recipe, None).unwrap();
    let network = recipe.build().unwrap();
    let credit = recipe.credit.build(&recipe.solver, &network, 24).unwrap();
    let batch = task_stream.train.batch(0, DType::F64);
    let run = |importance, batches: Vec<Batch>| {
        measure(
            &*credit,
            &network,
            importance,
            &*recipe.objective.build(),
            None,
            batches.into_iter(),
            &Key::new(1),
        )
        .unwrap()
    };
    let singles: Vec<Batch> = (0..6).map(|i| batch.take(&[i])).collect();
    for importance in [Importance::Fisher(Fisher::Exact, None), Importance::Sensitivity(None)] {
        let (whole, apart) = (run(importance, vec![batch.clone()]), run(importance, singles.clone()));
        assert_eq!(whole.len(), network.parameters().len());
        for (id, mat) in &whole {
            let pairs = mat.to_f64s().into_iter().zip(apart[id].to_f64s());
            assert!(pairs.clone().any(|(a, _)| a > 0.0));
            pairs.for_each(|(a, b)| assert!((a - b).abs() <= 1e-12 * a.abs().max(1e-3), "{a} {b}"));
        }
    }
    // For one sample the batched estimate is the empirical one; for several it is not.
    let (empirical, batched) =
        (Importance::Fisher(Fisher::Empirical, None), Importance::Fisher(Fisher::Batched, None));
    let id = ParamId::weight(0);
    let near = |a: &Mat, b: &Mat| a.to_f64s().iter().zip(b.to_f64s()).all(|(a, b)| (a - b).abs() < 1e-12);
    assert!(near(&run(empirical, singles.clone())[&id], &run(batched, singles)[&id]));
    assert!(!near(&run(empirical, vec![batch.clone()])[&id], &run(batched, vec![batch])[&id]));
}

/// E_y (∂ ln p/∂θ)² = −E_y ∂² ln p/∂θ² for a bias of the output: F_c = p_c (1 − p_c), averaged over samples.
#[test]
fn the_exact_fisher_of_an_output_bias_is_known() {
    let text = RECIPE.replace("[norm.batch]\n", "").replace("[9, 7, 4]", "[9, 4]");
    let recipe = Recipe::parse(&text, "test").unwrap();
    let mut task_stream = bouton::task::stream::open(&recipe, None).unwrap();
    let network = recipe.build().unwrap();
    let credit = recipe.credit.build(&recipe.solver, &network, 24).unwrap();
    let batch = task_stream.train.batch(0, DType::F64);
    let out = credit.free(&network, &batch, &*recipe.objective.build()).unwrap().out.swap_remove(1);
    let exact = Importance::Fisher(Fisher::Exact, None);
    let fisher = measure(
        &*credit,
        &network,
        exact,
        &*recipe.objective.build(),
        None,
        [batch].into_iter(),
        &Key::new(1),
    )
    .unwrap();
    for c in 0..4 {
        let of = |r: usize| {
            let row: Vec<f64> = (0..4).map(|k| out.get(r, k).exp()).collect();
            let p = row[c] / row.iter().sum::<f64>();
            p * (1.0 - p)
        };
        let expected = (0..6).map(of).sum::<f64>() / 6.0;
        assert!((fisher[&ParamId::bias(1)].get(0, c) - expected).abs() < 1e-12);
    }
}

/// E over drawn labels is the exact sum over labels: the error of n draws per sample falls as 1/√n.
#[test]
fn sampled_fisher_information_approaches_the_exact_one() {
    let recipe = Recipe::parse(RECIPE, "test").unwrap();
    let mut task_stream = bouton::task::stream::open(&recipe, None).unwrap();
    let network = recipe.build().unwrap();
    let credit = recipe.credit.build(&recipe.solver, &network, 24).unwrap();
    let batch = task_stream.train.batch(0, DType::F64);
    let run = |fisher, draws, seed| {
        let batches = std::iter::repeat_n(batch.clone(), draws);
        let (importance, key) = (Importance::Fisher(fisher, None), Key::new(seed));
        let all =
            measure(&*credit, &network, importance, &*recipe.objective.build(), None, batches, &key).unwrap();
        network.parameters().iter().flat_map(|(id, ..)| all[id].to_f64s()).collect::<Vec<f64>>()
    };
    let exact = run(Fisher::Exact, 1, 0);
    let size: f64 = exact.iter().map(|e| e * e).sum();
    let square = |s: Vec<f64>| s.iter().zip(&exact).map(|(s, e)| (s - e) * (s - e)).sum::<f64>() / size;
    let error = |n| ((0..25).map(|seed| square(run(Fisher::Sampled, n, seed))).sum::<f64>() / 25.0).sqrt();
    let (few, many) = (error(16), error(400));
    assert!(many < 0.05, "{many}");
    let slope = (many / few).ln() / 25_f64.ln();
    assert!((slope + 0.5).abs() < 0.1, "{slope}");
}
