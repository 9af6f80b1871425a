//! Real-time recurrent learning (Williams & Zipser 1989), and its sparse approximations (Menick et al. 2021).
//!
//!   J_t = M ⊙ (D_t J_{t−1}) + F_t
//!
//! J has a row for each parameter, carried forth like a tangent. M is one everywhere, or where a unit is reached from the parameter's
//! own by at most n − 1 connections; what happens within a step is whole, and so is what the output remembers.

use super::{Influence, Moved};
use crate::credit::GradCollector;
use crate::error::Result;
use crate::network::{Directions, Grad, GradSink, Network, ParamId, PopId, Tangent};
use bouton_kernels::{Mat, dispatch};
use std::sync::Arc;

/// The influence of all parameters on one sequence.
#[derive(Debug)]
pub(super) struct Full {
    rows: Rows,
    tangent: Tangent,
    /// M, by population, [parameters, units].
    kept: Option<Arc<Vec<Mat>>>,
}

/// Where parameters stand among the rows.
#[derive(Debug)]
struct Rows {
    /// Each with its first row, and its own rows and columns.
    places: Vec<(ParamId, usize, (usize, usize))>,
    all: usize,
}

impl Rows {
    fn new(network: &Network) -> Self {
        let (mut places, mut all) = (Vec::new(), 0);
        for (id, _, mat) in network.parameters() {
            places.push((id, all, (mat.rows(), mat.cols())));
            all += mat.rows() * mat.cols();
        }
        Self { places, all }
    }

    /// Writes the gradients of a single unit into its column.
    fn put(&self, of: &GradCollector, to: &mut Mat, unit: usize) {
        for (id, first, _) in &self.places {
            let Some(g) = of.gradients.get(id) else { continue };
            let cols = to.cols();
            dispatch!(to.dtype(), T => {
                let rows = to.slice_mut::<T>().chunks_exact_mut(cols).skip(*first);
                rows.zip(g.slice::<T>()).for_each(|(row, &g)| row[unit] += g);
            });
        }
    }
}

impl Full {
    pub(super) fn new(network: &Network, kept: Option<Arc<Vec<Mat>>>) -> Self {
        let rows = Rows::new(network);
        Self { tangent: Tangent::zeros(network, rows.all), rows, kept }
    }
}

/// M: the units that each parameter reaches by so many steps along connections, by population.
pub(super) fn reached(network: &Network, hops: usize) -> Vec<Mat> {
    let rows = Rows::new(network);
    let (reach, first) = (network.reach(hops.saturating_sub(1)), network.first_units());
    let pops = || (0..network.populations.len()).filter(|&p| network.is_stepping(p));
    let mut own: Vec<Vec<usize>> = vec![Vec::new(); rows.all];
    for pop in pops() {
        let units = network.populations[pop].units;
        let mut direct = Mat::zeros(network.dtype, rows.all, units);
        (0..units).for_each(|i| rows.put(&touched(network, pop, i), &mut direct, i));
        for (row, own) in own.iter_mut().enumerate() {
            own.extend((0..units).filter(|&i| direct.get(row, i) != 0.0).map(|i| first[pop] + i));
        }
    }
    let is_kept = |pop: PopId, row: usize, k: usize| {
        pop == network.output() || own[row].iter().any(|&i| reach[i][first[pop] + k])
    };
    let of = |pop: PopId| {
        let units = if network.is_stepping(pop) { network.populations[pop].units } else { 0 };
        Mat::from_fn(network.dtype, rows.all, units, |row, k| f64::from(u8::from(is_kept(pop, row, k))))
    };
    (0..network.populations.len()).map(of).collect()
}

/// Something that is not zero for each parameter that a unit has.
fn touched(network: &Network, pop: PopId, unit: usize) -> GradCollector {
    let (node, mut all) = (&network.populations[pop], GradCollector::default());
    let one = Mat::from_fn(network.dtype, 1, node.units, |_, k| f64::from(u8::from(k == unit)));
    let own = (0..node.own.len()).map(|k| ParamId::own(pop, k));
    for id in own.chain([ParamId::bias(pop)]) {
        all.add(network, id, Grad::rows(one.view(), 1.0));
    }
    for (id, c) in network.connections.iter().enumerate() {
        if c.post == pop && c.carries_activity() {
            let pre = Mat::from_fn(network.dtype, 1, network.populations[c.pre].units, |_, _| 1.0);
            let choice = Mat::zeros(network.dtype, 1, c.pool_caches());
            let post = c.post_factors(choice.view(), one.view(), false);
            all.add(network, ParamId::weight(id), Grad::factors(pre.view(), post.view(), 1.0));
        }
    }
    all
}

/// What parameters do within one step of the network.
struct Direct<'a> {
    full: (&'a Rows, Option<&'a Vec<Mat>>),
    moved: &'a Moved<'a>,
    t: usize,
}

impl Directions for Direct<'_> {
    fn drive(&self, pop: PopId, to: &mut Mat) {
        let Moved { network, time, x, trace, .. } = self.moved;
        let units = network.populations[pop].units;
        for i in 0..units {
            let g = Mat::from_fn(network.dtype, trace.steps, units, |t, k| {
                f64::from(u8::from(t == self.t && k == i))
            });
            let mut of_unit = GradCollector::default();
            network.accumulate_grads_of_drive(time, *x, trace, pop, &g, 1.0, &mut of_unit);
            self.full.0.put(&of_unit, to, i);
        }
    }

    fn own(&self, pop: PopId, variable: usize, to: &mut Mat) {
        let network = self.moved.network;
        let (node, slope) = (&network.populations[pop], &self.moved.slopes[self.t][pop][variable]);
        if !node.own.iter().any(|own| own.learned) {
            return;
        }
        for i in 0..node.units {
            let of_unit = |k: usize, j: usize| if i == j { slope.own.get(k, j) } else { 0.0 };
            let g = Mat::from_fn(network.dtype, node.own.len(), node.units, of_unit);
            let mut sums = GradCollector::default();
            network.accumulate_grads_own(pop, &g, 1.0, &mut sums);
            self.full.0.put(&sums, to, i);
        }
    }

    fn kept(&self, pop: PopId) -> Option<&Mat> {
        self.full.1.map(|kept| &kept[pop])
    }
}

impl Influence for Full {
    fn follow(&mut self, moved: &Moved<'_>) -> Result<()> {
        for (t, slopes) in moved.slopes.iter().enumerate() {
            let direct = Direct { full: (&self.rows, self.kept.as_deref()), moved, t };
            moved.network.follow(moved.trace, t, slopes, &mut self.tangent, &direct);
        }
        Ok(())
    }

    fn credit(&self, moved: &Moved<'_>, errors: &[(PopId, Mat)], sums: &mut GradCollector) -> Result<()> {
        for (id, first, (rows, cols)) in &self.rows.places {
            let owed = |row: usize| -> f64 {
                let of = |(pop, err): &(PopId, Mat)| -> f64 {
                    let out = &self.tangent.out[*pop][0];
                    (0..err.cols()).map(|k| out.get(row, k) * err.get(0, k)).sum()
                };
                errors.iter().map(of).sum()
            };
            let g = Mat::from_fn(moved.network.dtype, *rows, *cols, |r, c| owed(first + r * cols + c));
            sums.add(moved.network, *id, Grad::whole(&g, 1.0));
        }
        Ok(())
    }
}
