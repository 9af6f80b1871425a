//! A learner fed by hand with what a trainer sees: the same weights, importances and accuracies, to the bit.

use crate::common::{learn, trainer};
use bouton::Error;
use bouton::credit::Batch;
use bouton::recipe::Recipe;
use bouton::task::stream;
use bouton::train::{ByHand, Pace};
use bouton_kernels::Mat;

const BASE: &str = "[task.synthetic]\nshape = [1, 4, 4]\nclasses = 4\ntrain = 96\ntest = 80\nbatch = 16\nepochs = 2\n\
    [neuron.relu]\n[objective.softmax-cross-entropy]\n[credit.backprop]\n[sequence.permuted]\ntasks = 3\n";
const SGD: &str = "[optim.sgd]\nlr = 0.1\n";
const ADAM: &str = "[optim.adam]\nlr = 0.01\n";

fn text(outputs: usize, optim: &str, tables: &str) -> String {
    format!("{BASE}[network]\nlayers = [16, 12, {outputs}]\n{optim}{tables}")
}

/// Learns the tasks of a recipe by hand, and what their test sets come to after the last.
fn by_hand(recipe: &Recipe) -> (ByHand, Vec<f64>) {
    let task_stream = stream::open(recipe, None).unwrap();
    let mut hand = ByHand::new(recipe, None).unwrap();
    let dtype = hand.learner.network.dtype;
    let whole = |part| task_stream.train.in_order(part, None, dtype).next().unwrap();
    for segment in 0..task_stream.train.segments() {
        let samples: Batch = whole(&task_stream.train.parts(segment)[0]);
        assert_eq!(hand.begin_task().unwrap(), segment);
        for _ in 0..2 {
            hand.epoch(&samples, 1.0, &|| false).unwrap();
        }
        hand.end_task(Some(&samples)).unwrap();
    }
    let mut test = |(task, part)| hand.evaluate(&whole(part), Some(task)).unwrap().mean_loss();
    let losses = task_stream.tests.iter().enumerate().map(&mut test).collect();
    (hand, losses)
}

#[test]
fn what_is_fed_by_hand_is_learned_as_in_a_run() {
    let cases = [
        (4, SGD, ""),
        (4, SGD, "[anchor.ewc]\nlambda = 3.0\nfisher = \"sampled\"\nsamples = 30\n"),
        (4, SGD, "[anchor.si]\nc = 1.0\nxi = 0.1\n"),
        (4, SGD, "[anchor.mas]\nlambda = 1.0\n"),
        (4, SGD, "[schedule.exponential]\nfactor = 0.5\n"),
        (4, ADAM, "[continual]\nreset-optimiser = true\n"),
        (4, ADAM, "[continual]\nupdates = 8\n"),
        (4, SGD, "[update]\nclip-norm = 0.1\nwarm-up = 9\n"),
        (4, ADAM, "[norm.batch]\n[update]\naccumulate = 4\nclip-value = 0.01\n"),
        (4, SGD, "[norm.batch]\nper-task = true\n"),
        (12, SGD, "[continual]\nscenario = \"task\"\n[continual.replay]\nper-class = 5\nbatch = 12\n"),
        (
            12,
            SGD,
            "[continual]\nscenario = \"class\"\n[continual.replay]\nsize = 20\npolicy = \"reservoir\"\n",
        ),
    ];
    let mut plain: Option<Vec<f64>> = None;
    for (outputs, optim, tables) in cases {
        let text = text(outputs, optim, tables);
        let mut run = trainer(&text);
        let all = run.updates();
        learn(&mut run, all);
        let (mut hand, losses) = by_hand(&run.recipe.clone());
        let mut learned: Vec<(String, Mat)> = Vec::new();
        hand.visit(&mut |name, mat| {
            learned.push((name.to_owned(), mat.clone()));
            Ok(())
        })
        .unwrap();
        let mut learned = learned.into_iter();
        run.visit(&mut |name, mat| {
            let (same, by_hand) = learned.next().unwrap();
            assert!(same == name && by_hand == *mat, "{tables}: {name}");
            Ok(())
        })
        .unwrap();
        assert!(learned.next().is_none());
        let tested: Vec<f64> = (0..3).map(|task| run.evaluate(task).unwrap().mean_loss()).collect();
        assert_eq!(tested, losses, "{tables}");
        assert!(plain.get_or_insert_with(|| losses.clone()) != &losses || tables.is_empty(), "{tables}");
    }
}

/// Everything that `told` says of training needs a task that has begun.
#[test]
fn what_acts_where_tasks_end_is_refused_outside_of_tasks() {
    let pace = Pace { epoch: Some(0), rate: 1.0 };
    let step = |tables: &str, begins: bool| {
        let recipe = Recipe::parse(&text(4, SGD, tables), "test").unwrap();
        let mut hand = ByHand::new(&recipe, None).unwrap();
        if begins {
            hand.begin_task().unwrap();
        }
        hand.learn(Mat::zeros(hand.learner.network.dtype, 2, 16), vec![0, 1].into(), None, pace)
    };
    for tables in
        ["[anchor.si]\n", "[schedule.exponential]\nfactor = 0.5\n", "[continual]\nreset-optimiser = true\n"]
    {
        assert!(step(tables, true).is_ok());
        let error = step(tables, false).unwrap_err();
        assert!(matches!(error, Error::Incompatible { .. }) && error.hint().unwrap().contains("begin_task"));
    }
    assert!(step("", false).is_ok());
}

/// Single batches cannot wait for others; a whole epoch can.
#[test]
fn an_update_of_several_batches_is_learned_by_epochs() {
    let pace = Pace { epoch: Some(0), rate: 1.0 };
    for (accumulate, ok) in [(1, true), (2, false)] {
        let tables = format!("[update]\naccumulate = {accumulate}\n");
        let recipe = Recipe::parse(&text(4, SGD, &tables), "test").unwrap();
        let mut hand = ByHand::new(&recipe, None).unwrap();
        hand.begin_task().unwrap();
        let x = Mat::zeros(hand.learner.network.dtype, 2, 16);
        let learned = hand.learn(x, vec![0, 1].into(), None, pace).map(drop);
        let applied = hand.apply(&std::collections::HashMap::new(), pace);
        for result in [learned, applied] {
            assert_eq!(result.is_ok(), ok, "{accumulate}");
            assert!(result.map_or_else(|e| e.to_string().contains("update.accumulate"), |()| true));
        }
    }
}

#[test]
fn states_of_more_samples_than_the_rule_remembers_are_refused() {
    let settle = "[task.synthetic]\nshape = [1, 4, 4]\nclasses = 4\ntrain = 3\ntest = 1\nbatch = 3\nepochs = 1\n\
        [network]\nlayers = [16, 5, 4]\n[neuron.settle]\n[optim.sgd]\nlr = 0.1\n[credit.eq-prop]\nbeta = 0.1\n\
        free-steps = 4\nnudged-steps = 2\nstart = ";
    let learn = |start: &str, samples: Option<usize>, ids: Option<Vec<usize>>| {
        let recipe = Recipe::parse(&format!("{settle}\"{start}\"\n"), "test").unwrap();
        let mut hand = ByHand::new(&recipe, samples).unwrap();
        let x = Mat::zeros(hand.learner.network.dtype, 4, 16);
        let pace = Pace { epoch: None, rate: 1.0 };
        hand.learn(x, vec![0; 4].into(), ids, pace)
            .map(drop)
            .map_err(|e| e.hint().unwrap_or_default().to_owned())
    };
    assert_eq!(learn("zero", Some(0), None), Ok(()));
    assert_eq!(learn("previous-batch", None, None).unwrap_err(), "make the network with samples=4");
    assert_eq!(learn("previous-batch", Some(4), None), Ok(()));
    assert!(learn("persistent", Some(4), None).unwrap_err().contains("ids"));
    assert_eq!(
        learn("persistent", None, Some(vec![0, 2, 3, 1])).unwrap_err(),
        "make the network with samples=4"
    );
    assert_eq!(learn("persistent", Some(4), Some(vec![0, 2, 3, 1])), Ok(()));
}
