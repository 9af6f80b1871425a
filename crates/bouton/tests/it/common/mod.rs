//! Small networks and batches for the integration tests.
#![allow(dead_code)]

use bouton::credit::{Batch, GradCollector, Step};
use bouton::network::Network;
use bouton::optim::Updater;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton::task::catalogue::{Format, KnownFile, KnownSet, Part, Pin};
use bouton::train::Trainer;
use bouton_kernels::Mat;
use sha2::Digest;

/// A 20-16-12-10 settling network in f64; `tables` adds or replaces `[neuron…]`, `[credit…]` and further tables.
pub fn recipe(layers: &[usize], tables: &str) -> Recipe {
    let text = format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = [1, 4, 5]\nclasses = {}\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
         [network]\nlayers = {layers:?}\n[optim.sgd]\nlr = 0.1\n{tables}",
        layers.last().unwrap()
    );
    Recipe::parse(&text, "test").unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// Eight random samples.
pub fn batch(network: &Network, seed: u64) -> Batch {
    let mut stream = Key::new(seed).of("batch", 0).stream();
    let features = network.features();
    let classes = network.populations.last().unwrap().units;
    Batch {
        x: Mat::from_fn(network.dtype, 8, features, |_, _| stream.uniform()),
        target: (0..8).map(|i| (i % classes) as u16).collect::<Vec<u16>>().into(),
        ids: (0..8).collect(),
        spans: None,
    }
}

/// The gradient of every parameter in one vector.
pub fn gradient(recipe: &Recipe, network: &mut Network, batch: &Batch) -> (Vec<f64>, Step) {
    let objective = recipe.objective.build();
    let mut credit = recipe.credit.build(&recipe.solver, network, batch.ids.len()).unwrap();
    let mut sink = GradCollector::default();
    let step = credit.learn(network, batch, &*objective, &mut sink, &Key::new(1)).unwrap();
    (sink.flat(network), step)
}

/// Mean loss without learning.
pub fn loss(recipe: &Recipe, network: &Network, batch: &Batch) -> f64 {
    let credit = recipe.credit.build(&recipe.solver, network, batch.ids.len()).unwrap();
    credit.evaluate(network, batch, &*recipe.objective.build()).unwrap().mean_loss()
}

/// Central differences of `loss` along every parameter.
pub fn central_differences(network: &mut Network, loss: &mut dyn FnMut(&mut Network) -> f64) -> Vec<f64> {
    let e = 1e-5;
    let names: Vec<(String, usize)> =
        network.parameters().into_iter().map(|(_, n, m)| (n, m.rows() * m.cols())).collect();
    let mut gradient = Vec::new();
    for (name, len) in names {
        for i in 0..len {
            nudge(network, &name, i, e);
            let up = loss(network);
            nudge(network, &name, i, -2.0 * e);
            let down = loss(network);
            nudge(network, &name, i, e);
            gradient.push((up - down) / (2.0 * e));
        }
    }
    gradient
}

/// Relative error of the gradient of a recipe's rule against central differences, on its first network.
pub fn against_differences(recipe: &Recipe) -> f64 {
    let mut network = recipe.build().unwrap();
    let batch = batch(&network, 3);
    let (g, _) = gradient(recipe, &mut network, &batch);
    let numeric = central_differences(&mut network, &mut |network| loss(recipe, network, &batch));
    relative_error(&g, &numeric)
}

fn nudge(network: &mut Network, name: &str, i: usize, by: f64) {
    network
        .visit(&mut |n, mat| {
            if n == name {
                mat.slice_mut::<f64>()[i] += by;
            }
            Ok(())
        })
        .unwrap();
}

/// ‖a − b‖ / ‖b‖.
pub fn relative_error(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(x, y)| x - y)) / norm(&mut b.iter().copied())
}

/// Relative error of what one step of plain descent at 0.1 moves, over the rate, against the collected gradient.
pub fn distance_of_a_step(recipe: &Recipe) -> f64 {
    let mut network = recipe.build().unwrap();
    let (batch, before) = (batch(&network, 3), recipe.build().unwrap());
    let (g, _) = gradient(recipe, &mut network, &batch);
    let mut updater = Updater::new(&network, recipe.optim.build());
    let mut credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
    credit.learn(&mut network, &batch, &*recipe.objective.build(), &mut updater, &Key::new(1)).unwrap();
    let flat = |n: &Network| n.parameters().iter().flat_map(|p| p.2.to_f64s()).collect::<Vec<_>>();
    let moved: Vec<f64> = flat(&network).iter().zip(flat(&before)).map(|(a, b)| (b - a) / 0.1).collect();
    relative_error(&moved, &g)
}

/// The trainer of a recipe in TOML.
pub fn trainer(text: &str) -> Trainer {
    Trainer::new(&Recipe::parse(text, "test").unwrap(), None).unwrap()
}

/// Learns up to update `to`, ending segments where they end.
pub fn learn(trainer: &mut Trainer, to: u64) {
    while trainer.update() < to {
        trainer.learn().unwrap();
        if trainer.position().ends_segment {
            trainer.end_segment().unwrap();
        }
    }
}

/// The two updates of a smoke run: they see two new samples each, move what is learned, and a test is one of the network
/// as it is then.
pub fn two_updates(trainer: &mut Trainer, name: &str) {
    let start = trainer.checkpoint().unwrap().tensors;
    for _ in 0..2 {
        let step = trainer.learn().unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(
            step.samples >= 2 && step.value("accuracy") <= Some(1.0) && step.mean_loss() < 1e6,
            "{name}: {step:?}"
        );
    }
    let moved = trainer.checkpoint().unwrap().tensors;
    assert!(moved != start, "{name}: nothing moved");
    let tests = [trainer.evaluate(0).unwrap(), trainer.evaluate(0).unwrap()];
    assert!(tests[0].mean_loss() < 1e6 && tests[0] == tests[1], "{name}: {tests:?}");
    assert!(trainer.checkpoint().unwrap().tensors == moved, "{name}: a test moved something");
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// A file of a data set that no registry has, recognised by the hash of `content`.
pub fn known_file(name: &'static str, part: Part, content: &[u8]) -> KnownFile {
    let bytes = content.len() as u64;
    KnownFile { name, part, bytes, pin: Pin::Sha256(sha256(content).leak()), download: bytes, embedded: None }
}

/// A set of such files: `train` and `test` images.
pub fn known_set(
    name: &'static str,
    shape: [usize; 3],
    classes: usize,
    [train, test]: [usize; 2],
    files: Vec<KnownFile>,
) -> KnownSet {
    KnownSet {
        names: &[],
        name,
        about: "for tests",
        title: "for tests",
        shape,
        classes,
        train,
        test,
        licence: "none",
        bibtex: "@misc{}",
        format: Format::Idx,
        mirrors: &[],
        files: files.leak(),
        archives: &[],
    }
}

/// Whether this is a process that runs the test `name` and nothing else; if not, it runs one and passes on how it ended.
pub fn in_a_process_of_its_own(name: &str) -> bool {
    const ALONE: &str = "BOUTON_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("1 passed"), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    false
}
