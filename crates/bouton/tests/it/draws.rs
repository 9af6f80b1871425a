//! Updates that average over several draws of sampled weights.

use bouton::credit::GradCollector;
use bouton::network::{Network, ParamId};
use bouton::optim::Updater;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton::task::stream;
use bouton::train::Trainer;

const RECIPE: &str = "precision = \"f64\"\nseed = 3\n[run]\ntrain-draws = 3\n[task.synthetic]\nshape = [1, 3, 3]\nclasses = 4\n\
    train = 24\ntest = 4\nbatch = 6\nepochs = 2\n[network]\nlayers = [9, 7, 4]\n[neuron.relu]\n[norm.layer]\n[credit.backprop]\n\
    [objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.1\n";

fn recipe(synapse: &str) -> Recipe {
    Recipe::parse(&format!("{RECIPE}[synapse.{synapse}]\n"), "test").unwrap()
}

/// The equations of BiMU from the gradients at each of the weights that were drawn; biases move by the mean gradient.
#[test]
fn an_update_takes_the_mean_over_its_draws() {
    let recipe = recipe("bimu");
    let batch = stream::open(&recipe, None).unwrap().train.batch(0, bouton_kernels::DType::F64);
    let objective = recipe.objective.build();
    let mut network = recipe.build().unwrap();
    let mut credit = recipe.credit.build(&recipe.solver, &network, 24).unwrap();
    let mut updater = Updater::new(&network, recipe.optim.build()).seeded(3);
    updater.set_draws(3);
    let lambda = |network: &Network| network.connections[0].states[0].to_f64s();
    let bias = |network: &Network| network.populations[1].bias.as_ref().unwrap().mat().to_f64s();
    let (old, old_bias) = (lambda(&network), bias(&network));
    let (mut g, mut g_bias) = (vec![0.0; old.len()], vec![0.0; old_bias.len()]);
    let mut drawn = Vec::new();
    for k in 0..3 {
        let mut at = GradCollector::default();
        credit.gradients(&network, &batch, &[&*objective], &mut at).unwrap();
        let w = network.connections[0].weight.mat().to_f64s();
        for (sum, (g, w)) in g.iter_mut().zip(at.values(ParamId::weight(0)).into_iter().zip(&w)) {
            *sum += g * (1.0 - w * w) / 3.0;
        }
        g_bias.iter_mut().zip(at.values(ParamId::bias(1))).for_each(|(sum, g)| *sum += g / 3.0);
        drawn.push(w);
        assert!(lambda(&network) == old && bias(&network) == old_bias, "nothing moves before the last draw");
        credit.learn(&mut network, &batch, &*objective, &mut updater, &Key::new(k)).unwrap();
    }
    assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2]);
    for ((new, old), g) in lambda(&network).iter().zip(&old).zip(&g) {
        let (m, big) = (old.tanh(), 161.3 * g);
        let v = 3.76 * (1.0 - m * m);
        let expected =
            old - (4.9 * big + old * v / 700.0) / (v + 2.0 * big * m + 2.0 * big.abs() + 1.0 / 0.0023);
        assert!((new - expected).abs() < 1e-12, "{new} {expected}");
    }
    for ((new, old), g) in bias(&network).iter().zip(&old_bias).zip(&g_bias) {
        assert!((new - (old - 0.1 * g)).abs() < 1e-14, "{new} {old} {g}");
    }
    assert_eq!(updater.updates(), 1);
}

#[test]
fn a_run_with_draws_goes_on_bit_exactly_and_one_draw_is_the_default() {
    for synapse in ["bimu", "bayesbinn", "mesu"] {
        let recipe = recipe(synapse);
        let after = |recipe: &Recipe, updates: usize| {
            let mut trainer = Trainer::new(recipe, None).unwrap();
            for _ in 0..updates {
                trainer.learn().unwrap();
            }
            trainer
        };
        let mut second = after(&recipe, 0);
        second.restore(&after(&recipe, 2).checkpoint().unwrap()).unwrap();
        for _ in 0..3 {
            second.learn().unwrap();
        }
        assert!(second.checkpoint().unwrap().tensors == after(&recipe, 5).checkpoint().unwrap().tensors);
        let tensors = |draws| {
            let recipe = Recipe {
                run: bouton::recipe::RunSpec { train_draws: draws, ..recipe.run.clone() },
                ..recipe.clone()
            };
            after(&recipe, 3).checkpoint().unwrap().tensors
        };
        assert!(tensors(Some(1)) == tensors(None) && tensors(Some(1)) != tensors(Some(2)), "{synapse}");
    }
}

#[test]
fn draws_that_cannot_be_averaged_are_refused() {
    let plain = recipe("plain").check().unwrap_err();
    assert!(plain.to_string().starts_with("run.train-draws draws weights anew"), "{plain}");
    let mut none = recipe("bimu");
    none.run.train_draws = Some(0);
    assert!(none.check().unwrap_err().to_string().contains("`run.train-draws` is 0"));
    let settling = "[task.digits]\nbatch = 10\nepochs = 1\n[network]\nlayers = [64, 8, 10]\n[neuron.settle]\n\
        [run]\ntrain-draws = 2\n[synapse.mesu]\n[credit.continual-eq-prop]\nbeta = 0.5\nfree-steps = 9\nnudged-steps = 3\n[optim.sgd]\nlr = 0.1\n";
    let error = Recipe::parse(settling, "settling.toml").unwrap().check().unwrap_err();
    assert!(error.to_string().contains("nothing to average over draws"), "{error}");
}
