//! What counts as the answer, and how outcomes add up.

use super::{layered, trainer};
use crate::common::learn;
use bouton::credit::Step;
use bouton::objective::{Sums, predictions};
use bouton::solver::RelaxationStats;
use bouton_kernels::{DType, Mat};

fn hits(n: u64) -> Sums {
    let mut sums = Sums::default();
    sums.read("hits", &n.to_string()).unwrap();
    sums
}

#[test]
fn the_first_of_equal_outputs_is_the_answer() {
    let out = Mat::from_f64s(DType::F64, 3, 4, &[0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 0.0, 5.0, 1.0, 3.0, 3.0]);
    assert_eq!(predictions(out.view(), |_| 0..4), [0, 1, 0]);
    assert_eq!(predictions(out.view(), |_| 1..4), [1, 1, 2]);
    assert_eq!(predictions(out.view(), |r| if r == 0 { 3..4 } else { 2..4 }), [3, 2, 2]);
}

#[test]
fn outcomes_add_up_and_means_are_per_sample() {
    let relaxed =
        |k: u64, residual| RelaxationStats { sweeps: 10 * k, samples: k, residual, unsettled: k - 1 };
    let step = |k: u64, residual| Step {
        samples: k,
        loss: 0.5 * k as f64,
        surplus: 0.25 * k as f64,
        rewards: 0.125 * k as f64,
        sums: hits(k - 1),
        objective: vec![0.25 * k as f64],
        free: relaxed(k, residual),
        nudged: relaxed(2 * k, 2.0 * residual),
        fallback: 3 * k,
    };
    let sum = step(2, 0.25).with(&step(3, 0.125));
    let free = RelaxationStats { sweeps: 50, samples: 5, residual: 0.25, unsettled: 3 };
    let nudged = RelaxationStats { sweeps: 100, samples: 10, residual: 0.5, unsettled: 8 };
    let objective = vec![1.25];
    assert_eq!(
        sum,
        Step {
            samples: 5,
            loss: 2.5,
            surplus: 1.25,
            rewards: 0.625,
            sums: hits(3),
            objective,
            free,
            nudged,
            fallback: 15
        }
    );
    assert_eq!((sum.mean_loss(), sum.value("accuracy").unwrap(), sum.free.mean_sweeps()), (0.4, 0.6, 10.0));
    assert_eq!(Step::default().mean_loss(), 0.0);
    // A gradient belongs to its batch, and so do rewards.
    assert_eq!(sum.to_text().parse(), Ok(Step { objective: Vec::new(), rewards: 0.0, ..sum.clone() }));
}

/// Tests on more samples than one batch of evaluation holds: the mean is over samples.
#[test]
fn an_evaluation_is_a_mean_over_all_samples() {
    let text = layered("[optim.sgd]\nlr = 0.1\n");
    let mut many = trainer(&text.replace("test = 12", "test = 700"), &[]);
    learn(&mut many, 8);
    let step = many.evaluate(0).unwrap();
    assert_eq!(step.samples, 700);
    let mut parts = Step::default();
    for batch in many.task_stream.train.in_order(&many.task_stream.tests[0], None, DType::F64) {
        let credit = many.recipe.credit.build(&many.recipe.solver, &many.network, 24).unwrap();
        parts = parts.with(&credit.evaluate(&many.network, &batch, &*many.recipe.objective.build()).unwrap());
    }
    assert_eq!((&parts.sums, parts.loss), (&step.sums, step.loss));
    assert!(step.value("accuracy").is_some_and(|a| a > 0.0 && a < 1.0));
}
