//! Every synapse in a network: it learns, it goes on bit-exactly after a checkpoint, in the middle of a task and with any
//! number of threads, and its checkpoints fit no other synapse.

use bouton::Error;
use bouton::analysis::{self, CheckContext, Verdict};
use bouton::recipe::Recipe;
use bouton::train::Trainer;
use bouton_kernels::{Elem, Mat, dispatch};

const RECIPE: &str = r#"
name = "remembering"
[task.digits]
batch = 50
epochs = 4
train = 1000
test = 200
[sequence.permuted]
tasks = 2
[network]
layers = [64, 600, 10]
[neuron.sign]
[norm.batch]
[credit.backprop]
[objective.softmax-cross-entropy]
[wiring.dense]
init = "uniform"
gain = 0.1
[optim.adam]
lr = 0.005
"#;

/// Synapses with what they need to be different from their defaults to learn the digits quickly.
const SYNAPSES: [&[&str]; 12] = [
    &["synapse=plain"],
    &["synapse=binary"],
    &["synapse.metaplastic.m=1.35"],
    &["synapse.bop.gamma=0.05", "synapse.bop.threshold=1e-5"],
    &["synapse=beakers"],
    &["synapse.cascade.step=0.05"],
    &["synapse.bayesbinn.samples=1000", "synapse.bayesbinn.rate=0.02"],
    &["synapse.bimu.rate=50", "synapse.bimu.rate-max=0.02"],
    &["synapse.mesu.spread=0.1", "synapse.mesu.rate=20"],
    &["synapse=binary-beakers"],
    &["synapse.rram.set=true", "optim.adam.lr=8"],
    &["synapse=soft-bounds"],
];

fn recipe(synapse: &[&str]) -> Recipe {
    Recipe::parse(RECIPE, "remembering.toml").unwrap().with_overrides(synapse).unwrap()
}

fn learn(trainer: &mut Trainer, updates: u64) {
    for _ in 0..updates {
        trainer.learn().unwrap();
    }
}

fn threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn every_synapse_learns() {
    let accuracies = SYNAPSES.map(|synapse| {
        let mut trainer = Trainer::new(&recipe(synapse), None).unwrap();
        learn(&mut trainer, 80);
        let outcome = trainer.evaluate(0).unwrap();
        (synapse, outcome.value("accuracy").unwrap())
    });
    assert!(accuracies.iter().all(|(_, accuracy)| *accuracy > 0.6), "{accuracies:?}");
}

#[test]
fn checkpoints_hold_everything_and_threads_do_not_matter() {
    for synapse in SYNAPSES {
        let recipe = recipe(synapse);
        let mut whole = Trainer::new(&recipe, None).unwrap();
        threads(1, || learn(&mut whole, 7));
        let mut first = Trainer::new(&recipe, None).unwrap();
        threads(2, || learn(&mut first, 4));
        let saved = first.checkpoint().unwrap();
        let mut second = Trainer::new(&recipe, None).unwrap();
        second.restore(&saved).unwrap();
        threads(2, || learn(&mut second, 3));
        let [a, b] = [&mut whole, &mut second].map(|t| t.checkpoint().unwrap());
        assert!(a.tensors == b.tensors, "{synapse:?}");
    }
}

#[test]
fn a_checkpoint_of_another_synapse_is_refused() {
    let mut trainers = SYNAPSES.map(|synapse| Trainer::new(&recipe(synapse), None).unwrap());
    let saved = trainers.each_mut().map(|trainer| trainer.checkpoint().unwrap());
    let states = trainers.each_ref().map(|trainer| trainer.network.connections[0].synapse.states());
    for (to, trainer) in trainers.iter_mut().enumerate() {
        for from in (0..SYNAPSES.len()).filter(|from| states[*from] != states[to]) {
            let errors = [
                trainer.restore(&saved[from]).unwrap_err(),
                Trainer::restore_network(&mut trainer.network, &saved[from]).unwrap_err(),
            ];
            for error in errors {
                assert!(matches!(error, Error::Checkpoint { .. }), "{error}");
                assert!(error.to_string().contains("synapse") && error.hint().is_some(), "{error}");
            }
        }
        Trainer::restore_network(&mut trainer.network, &saved[to]).unwrap();
        trainer.restore(&saved[to]).unwrap();
    }
}

/// Ten levels are in tensors of the same names and shapes as five.
#[test]
fn a_checkpoint_of_other_numbers_of_the_synapse_is_refused() {
    let cascade =
        |levels: usize| Trainer::new(&recipe(&[&format!("synapse.cascade.levels={levels}")]), None).unwrap();
    let error = cascade(10).restore(&cascade(5).checkpoint().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the checkpoint was written by another recipe");
    assert!(error.hint().is_some());
}

#[test]
fn the_end_of_a_task_reaches_the_synapses() {
    let mut trainer = Trainer::new(&recipe(SYNAPSES[6]), None).unwrap();
    let prior = |t: &mut Trainer| {
        let tensors = t.checkpoint().unwrap().tensors;
        let of = |name: &str| tensors.iter().find(|t| t.name.ends_with(name)).unwrap().data.clone();
        of("bayesbinn.prior") == of("bayesbinn.lambda")
    };
    learn(&mut trainer, 2);
    assert!(!prior(&mut trainer));
    trainer.end_segment().unwrap();
    assert!(prior(&mut trainer));
}

#[test]
fn numbers_and_combinations_that_cannot_be_meant() {
    let cases: [(&[&str], &str); 19] = [
        (&["synapse.bop.gamma=0"], "`synapse.bop.gamma` is 0"),
        (&["synapse.bop.threshold=-1"], "`synapse.bop.threshold` is -1"),
        (&["synapse.beakers.length=1"], "`synapse.beakers.length` is 1,"),
        (&["synapse.beakers.beta=2"], "`synapse.beakers.beta` is 2"),
        (&["synapse.beakers.alpha=1"], "`synapse.beakers.coupling` is 1"),
        (&["synapse.cascade.ratio=0.6"], "`synapse.cascade.ratio` is 0.6"),
        (&["synapse.cascade.levels=0"], "`synapse.cascade.levels` is 0"),
        (&["synapse.bayesbinn.rate=2"], "`synapse.bayesbinn.rate` is 2"),
        (&["synapse.bimu.window=0"], "`synapse.bimu.window` is 0"),
        (&["synapse.mesu.clip=1"], "`synapse.mesu.spread-rate` is 2.1"),
        (&["synapse.binary-beakers.areas=[1]"], "`synapse.binary-beakers.areas` is a list of 1"),
        (&["synapse.rram.pulses=0"], "`synapse.rram.pulses` is 0"),
        (&["synapse=bop", "optim.adam.decay=1e-4"], "bop takes the gradient itself"),
        (&["synapse=bimu", "schedule.exponential.factor=0.9"], "bimu has a step size of its own"),
        (&["synapse=mesu", "schedule.cosine.epochs=4"], "mesu has a step size of its own"),
        (&["synapse=bayesbinn", "anchor.ewc.lambda=1"], "ewc holds the weights that a task ended with"),
        (&["synapse=bimu", "anchor.online-ewc.lambda=1"], "online-ewc holds the weights that a task ended"),
        (&["synapse=mesu", "anchor.si.c=1"], "si holds the weights that a task ended with"),
        (&["synapse=mesu", "anchor.mas.lambda=1"], "mas holds the weights that a task ended with"),
    ];
    for (overrides, start) in cases {
        let changed = recipe(&[]).with_overrides(overrides);
        let error = changed.and_then(|r| r.check()).unwrap_err();
        assert!(error.to_string().contains(start), "{error}");
        assert!(error.hint().is_some_and(|hint| !hint.is_empty()), "{error}");
    }
}

fn settling() -> Recipe {
    let text = RECIPE
        .replace("[neuron.sign]\n[norm.batch]\n[credit.backprop]\n[objective.softmax-cross-entropy]\n", "")
        + "[neuron.settle]\n[credit.eq-prop]\nbeta = 0.5\nfree-steps = 20\nnudged-steps = 4\n";
    Recipe::parse(&text, "settling.toml").unwrap()
}

#[test]
fn settling_units_need_a_scale() {
    let settling = settling();
    for synapse in ["bop", "cascade", "bayesbinn", "bimu", "binary-beakers", "rram"] {
        let with = |text: String| settling.with_overrides(&[text]).unwrap().check();
        let error = with(format!("synapse={synapse}")).unwrap_err();
        assert!(matches!(error, Error::Incompatible { .. }), "{error}");
        assert!(error.hint().unwrap().contains("scale"));
        with(format!("synapse.{synapse}.scale=0.1")).unwrap();
    }
}

#[test]
fn answers_are_those_of_the_mean_and_leave_the_sample_alone() {
    let mut trainer = Trainer::new(&recipe(&["synapse=mesu"]), None).unwrap();
    learn(&mut trainer, 2);
    let before = trainer.checkpoint().unwrap().tensors;
    let of = |name: &str| before.iter().find(|t| t.name.ends_with(name)).unwrap().data.clone();
    let samples = trainer.network.sampled_weights();
    trainer.network.set_sampled_weights(None);
    let shown = trainer.checkpoint().unwrap().tensors;
    let weight = shown.iter().find(|t| t.name.ends_with("hidden1.weight")).unwrap();
    assert!(weight.data == of("mesu.mean") && weight.data != of("hidden1.weight"));
    trainer.network.restore_weights(&samples);
    trainer.evaluate(0).unwrap();
    assert!(trainer.checkpoint().unwrap().tensors == before);
}

/// The laws of credit rules are of the rules, whatever takes their gradients.
#[test]
fn the_properties_of_credit_are_measured_over_every_synapse() {
    for synapse in SYNAPSES.map(|overrides| overrides[0]) {
        let name = synapse.split(['.', '=']).nth(1).unwrap();
        let real = ["plain", "beakers", "mesu", "soft-bounds"].contains(&name);
        let scale = format!("synapse.{name}.scale=0.05");
        let overrides = [synapse, "network.layers=[64,20,10]"].into_iter().chain((!real).then_some(&*scale));
        let recipe = settling().with_overrides(&overrides.collect::<Vec<_>>()).unwrap();
        let found = analysis::check(&mut CheckContext::new(&recipe, None, None).unwrap()).unwrap();
        for id in ["kolen-pollack", "continual-is-ep"] {
            let property = found.properties.iter().find(|p| p.id == id).unwrap();
            assert_eq!(property.verdict, Verdict::Pass, "{name}: {property:?}");
        }
    }
}

#[test]
fn a_hidden_weight_that_is_no_longer_finite_stops_the_run() {
    for synapse in ["synapse=binary", "synapse.metaplastic.m=1.35", "synapse=binary-beakers"] {
        let mut trainer = Trainer::new(&recipe(&[synapse]), None).unwrap();
        let spoil = &mut |name: &str, mat: &mut Mat| {
            if name.ends_with(".weight") {
                dispatch!(mat.dtype(), T => mat.slice_mut::<T>()[0] = T::from_f64(f64::NAN));
            }
            Ok(())
        };
        trainer.network.visit(spoil).unwrap();
        let error = trainer.learn().unwrap_err();
        assert!(matches!(error, Error::Diverged { .. }) && error.to_string().contains(".weight"), "{error}");
    }
}

#[test]
fn unstable_chains_are_refused() {
    for (override_, key) in [
        ("synapse.binary-beakers.pipes=[1000.0, 1e-3, 1e-4, 1e-5]", "synapse.binary-beakers.pipes"),
        ("synapse.binary-beakers.feedback=0.999", "synapse.binary-beakers.pipes"),
        ("synapse.beakers.coupling=1e3", "synapse.beakers.coupling"),
    ] {
        let error = recipe(&[override_]).check().unwrap_err().to_string();
        assert!(error.contains(key) && error.contains("lose all it has"), "{error}");
    }
}
