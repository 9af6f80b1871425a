//! What a batch starts from: zero, the batch before it, or what each sample settled to last time.

use super::{Tensors, tensors, trainer};
use bouton::network::{Role, State};
use bouton::solver::Solver;
use bouton::train::Trainer;

const SWEEPS: usize = 3;

/// Settling units that learn nothing, over 44 samples in batches of 20, which are two shards, and 4.
fn text(neuron: &str, start: &str, sequence: &str) -> String {
    format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = [1, 3, 3]\nclasses = 4\ntrain = 44\ntest = 4\nbatch = 20\nepochs = 2\n\
         [network]\nlayers = [9, 5, 4]\n[neuron.settle]\n{neuron}\n[credit.eq-prop]\nbeta = 0.5\nfree-steps = {SWEEPS}\n\
         nudged-steps = 1\nstart = \"{start}\"\n[optim.sgd]\nlr = 0.0\n{sequence}"
    )
}

/// Outputs and states of a row of memory, by population.
type Row = Vec<[Vec<f64>; 2]>;

/// The free states of the next batch, row by row, each from what `from` says.
fn settle(t: &mut Trainer, from: impl Fn(usize, usize) -> Row) -> (Vec<usize>, Vec<Row>) {
    let batch = t.task_stream.train.batch(t.update(), t.network.dtype);
    let (n, network) = (batch.ids.len(), &t.network);
    let mut state = State::new(network, &network.constant_drive(batch.x.view()), 0..n, &batch.target);
    let settling: Vec<usize> = network.with_role(Role::Settling).collect();
    for r in 0..n {
        for (&p, [out, h]) in settling.iter().zip(from(r, batch.ids[r])) {
            for (to, values) in [(&mut state.out[p], out), (&mut state.h[p], h)] {
                if to.rows() > 0 {
                    to.view_mut().row_mut::<f64>(r).copy_from_slice(&values);
                }
            }
        }
    }
    let solver = Solver::new(&t.recipe.solver, network).unwrap();
    solver.relax(network, &mut state, None, SWEEPS, "free").unwrap();
    let row = |m: &bouton_kernels::Mat, r: usize| {
        if m.rows() > 0 { m.view().row::<f64>(r).to_vec() } else { Vec::new() }
    };
    let rows =
        (0..n).map(|r| settling.iter().map(|&p| [row(&state.out[p], r), row(&state.h[p], r)]).collect());
    (batch.ids.clone(), rows.collect())
}

/// What a checkpoint remembers in row `at`.
fn remembered(all: &Tensors, at: usize) -> Row {
    let part = |name: String, units: usize| {
        all.get(&name).map_or(Vec::new(), |v| v[at * units..(at + 1) * units].to_vec())
    };
    [(1, 5), (2, 4)]
        .map(|(p, units)| [part(format!("memory.out.{p}"), units), part(format!("memory.state.{p}"), units)])
        .to_vec()
}

#[test]
fn batches_start_where_they_should() {
    for neuron in
        ["activation = \"shifted-sigmoid\"", "activation = \"shifted-sigmoid\"\ndynamics = \"energy\""]
    {
        for start in ["previous-batch", "persistent"] {
            let mut t = trainer(&text(neuron, start, ""), &[]);
            let rest = t.network.populations[1].model.initial_output();
            let fresh = |at: usize| remembered(&tensors(&mut trainer(&text(neuron, start, ""), &[])), at);
            assert!(
                fresh(7).iter().all(|[out, h]| out.iter().all(|x| *x == rest) && h.iter().all(|x| *x == 0.0))
            );
            for _ in 0..6 {
                let before = tensors(&mut t);
                let place = |r: usize, id: usize| if start == "persistent" { id } else { r };
                let (ids, rows) = settle(&mut t, |r, id| remembered(&before, place(r, id)));
                t.learn().unwrap();
                let now = tensors(&mut t);
                let touched: Vec<usize> = ids.iter().enumerate().map(|(r, &id)| place(r, id)).collect();
                for (row, &at) in rows.iter().zip(&touched) {
                    assert_eq!(&remembered(&now, at), row, "{neuron} {start}: row {at}");
                }
                for at in (0..44).filter(|at| !touched.contains(at)) {
                    assert_eq!(remembered(&now, at), remembered(&before, at), "{neuron} {start}: row {at}");
                }
            }
        }
        let mut zero = trainer(&text(neuron, "zero", ""), &[]);
        zero.learn().unwrap();
        assert!(tensors(&mut zero).keys().all(|name| !name.starts_with("memory")));
    }
}

/// A sample of one task is not that of another: what it settled to is its own.
#[test]
fn persistent_states_belong_to_samples_of_a_task() {
    for sequence in [
        "[sequence.permuted]\ntasks = 2\n",
        "[sequence.split]\nclasses = 2\n[continual]\nscenario = \"class\"\n",
    ] {
        let mut t = trainer(&text("activation = \"shifted-sigmoid\"", "persistent", sequence), &[]);
        let samples = t.task_stream.train.parts(0)[0].len();
        while t.task_stream.train.position(t.update()).segment == 0 {
            t.learn().unwrap();
        }
        let first = tensors(&mut t);
        let rest = remembered(
            &tensors(&mut trainer(&text("activation = \"shifted-sigmoid\"", "persistent", sequence), &[])),
            0,
        );
        assert!((0..samples).all(|at| remembered(&first, at) != rest), "every sample was seen");
        while t.update() < t.updates() {
            t.learn().unwrap();
        }
        let last = tensors(&mut t);
        assert!((0..samples).all(|at| remembered(&first, at) == remembered(&last, at)), "{sequence}");
        assert!(
            (samples..t.task_stream.train.samples()).all(|at| remembered(&last, at) != rest),
            "{sequence}"
        );
    }
}

/// Tests start from zero, whatever was remembered, and leave no trace.
#[test]
fn tests_start_from_zero() {
    for start in ["previous-batch", "persistent"] {
        let loss = |start: &str, updates: usize| {
            let mut t = trainer(&text("activation = \"shifted-sigmoid\"", start, ""), &[]);
            for _ in 0..updates {
                t.learn().unwrap();
            }
            let before = tensors(&mut t);
            let loss = t.evaluate(0).unwrap().loss;
            assert_eq!(tensors(&mut t), before);
            loss
        };
        assert_eq!(loss(start, 5), loss("zero", 0), "{start}");
    }
}
