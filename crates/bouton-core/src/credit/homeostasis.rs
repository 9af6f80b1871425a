//! Jacobian homeostasis (Laborieux & Zenke 2024): both directions of a connection are drawn together, so that the response
//! to a nudge becomes the gradient.
//!
//! L = λ/2n ‖J − Jᵀ‖²_F for the Jacobian J of the drives of n settling units. A connection has the block D W_f in J one way
//! and (D W_b)ᵀ the other, D being the derivative of pooling at the free state: L = λ/n Σ ‖D (W_f − W_b)‖²_F.
//! Dense, D = 1: in closed form, once per batch. Shared weights: ‖u‖² with u = D (W_f − W_b) ε, a standard normal ε per
//! sample, which has that mean. How soft pooling bends within one population is left out of J.

use super::GradSink;
use crate::network::{ConnId, Connection, Feedback, Grad, Network, ParamId, State};
use crate::neuron::Noise;
use crate::rng::Key;
use bouton_kernels::{Mat, View, ViewMut, WeightMat, add_scaled};

/// The gradient of connections whose weights are not shared.
pub(super) fn accumulate_grads_dense(network: &Network, sink: &mut dyn GradSink) {
    for (id, c) in homeostatic(network).filter(|(_, c)| c.wiring.factorises()) {
        let difference = difference(c);
        sink.add(network, ParamId::weight(id), Grad::whole(&difference, 2.0 * c.homeostasis));
        sink.add(network, ParamId::feedback(id), Grad::whole(&difference, -2.0 * c.homeostasis));
    }
}

/// An estimate of the gradient of connections whose weights are shared, at the free states of some samples, each counted
/// `scale` times. Choices are up to date.
pub(super) fn accumulate_grads_shared(
    network: &Network,
    free: &State,
    scale: f64,
    key: &Key,
    sink: &mut dyn GradSink,
) {
    let mut shared = homeostatic(network).filter(|(_, c)| !c.wiring.factorises()).peekable();
    if shared.peek().is_none() {
        return;
    }
    let normal = Noise::new(&key.of("homeostasis", 0), &free.samples);
    for (id, c) in shared {
        let mut direction = Mat::zeros(network.dtype, free.rows(), free.out[c.pre].cols());
        normal.add(id, 1.0, 0..free.rows(), direction.view_mut());
        emit_along(id, c, free, direction.view(), 2.0 * c.homeostasis * scale, network, sink);
    }
}

fn homeostatic(network: &Network) -> impl Iterator<Item = (ConnId, &Connection)> {
    let homeostatic = |c: &Connection| c.homeostasis > 0.0 && matches!(c.feedback, Feedback::Field(_));
    network.connections.iter().enumerate().filter(move |(_, c)| homeostatic(c))
}

/// W_f − W_b.
fn difference(c: &Connection) -> Mat {
    let mut difference = c.weight.mat().clone();
    add_scaled(&mut difference, -1.0, c.back().view());
    difference
}

/// by · ½ ∂‖u‖² for the weights of both directions, and through D for the forward one.
fn emit_along(
    id: ConnId,
    c: &Connection,
    free: &State,
    direction: View<'_>,
    by: f64,
    network: &Network,
    sink: &mut dyn GradSink,
) {
    let (pool_cache, pre) = (free.pool_cache[id].view(), free.out[c.pre].view());
    let mut apart = Mat::zeros(network.dtype, free.rows(), c.factors(free.out[c.post].cols()));
    let difference = WeightMat::new(difference(c));
    c.wiring.forward(&difference, direction, apart.view_mut());
    let mut u = Mat::zeros(network.dtype, free.rows(), free.out[c.post].cols());
    pooled(c, pool_cache, apart.view(), u.view_mut());
    let g = c.post_factors(pool_cache, u.view(), false);
    sink.add(network, ParamId::weight(id), Grad::factors(direction, g.view(), by));
    sink.add(network, ParamId::feedback(id), Grad::factors(direction, g.view(), -by));
    if let Some(second_order) = c.second_order_factor(pre, u.view(), &difference, direction) {
        sink.add(network, ParamId::weight(id), Grad::factors(pre, second_order.view(), by));
    }
}

/// u = D y.
fn pooled(c: &Connection, pool_cache: View<'_>, y: View<'_>, mut u: ViewMut<'_>) {
    match &c.pool {
        Some(pool) => pool.jvp(pool_cache, y, u),
        None => u.copy_from(y),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credit::GradCollector;
    use crate::network::by_hand::{connection, drawn, node};
    use crate::neuron::Activation;
    use crate::wiring::{ConvWiring, DenseWiring, Pool, PoolSpec, SoftPool};
    use bouton_kernels::{ConvShape, DType, PoolShape};

    const SOFT: PoolSpec = PoolSpec::Soft(SoftPool { size: 2, temperature: 1.0 });

    /// Two convolutions and a dense output, all of which settle; feedback is the forward weight, or has nothing of it.
    fn network(pool: Option<PoolSpec>, tied: bool) -> Network {
        let (side, settling) = (if pool.is_some() { 2 } else { 4 }, Some(Activation::ShiftedSigmoid));
        let nodes = vec![
            node("x", [4, 4, 1], None),
            node("a", [4, 4, 2], settling),
            node("b", [side, side, 3], settling),
            node("y", [1, 1, 2], settling),
        ];
        let conv = |channels, filters| ConvWiring {
            shape: ConvShape {
                height: 4,
                width: 4,
                channels,
                filters,
                kernel: [3; 2],
                stride: 1,
                padding: 1,
            },
            exact: false,
        };
        let last = DenseWiring { pre: nodes[2].units, post: 2, sparse: false };
        let pool =
            pool.map(|spec| Pool { spec, shape: PoolShape { height: 4, width: 4, channels: 3, size: 2 } });
        let mut connections = vec![
            connection([0, 1], conv(1, 2), None, Feedback::None),
            connection([1, 2], conv(2, 3), pool, Feedback::None),
            connection([2, 3], last, None, Feedback::None),
        ];
        let n: usize = nodes[1..].iter().map(|node| node.units).sum();
        for c in &mut connections[1..] {
            let (rows, cols) = c.wiring.weight_shape();
            let back = if tied { c.weight.clone() } else { drawn(9, [rows, cols], 0.3) };
            c.feedback = Feedback::Field(back);
            c.homeostasis = 2.0 / n as f64;
        }
        Network::new(DType::F64, nodes, connections)
    }

    /// Some state of `rows` samples; its choices of pooling belong to the weights as they are.
    fn state(network: &Network, rows: usize) -> State {
        let x = Mat::from_fn(network.dtype, rows, 16, |r, c| ((r * 7 + c * 5) % 11) as f64 / 11.0);
        let mut state = State::new(
            network,
            &network.constant_drive(x.view()),
            0..rows,
            &crate::objective::Target::None(rows),
        );
        for (p, out) in state.out.iter_mut().enumerate() {
            *out = Mat::from_fn(network.dtype, rows, out.cols(), |r, c| {
                ((r * 3 + c * 13 + p) % 17) as f64 / 17.0 - 0.3
            });
        }
        state.invalidate_pool_caches(network, |_| true);
        network.update_pool_caches(&mut state);
        state
    }

    /// The one connection with weights that are shared between settling populations.
    fn shared(network: &Network) -> ConnId {
        homeostatic(network).find(|(_, c)| !c.wiring.factorises()).unwrap().0
    }

    /// ‖D (W_f − W_b)‖²_F, unit vector by unit vector, one a row.
    fn apart(network: &Network) -> f64 {
        let c = &network.connections[shared(network)];
        let units = network.populations[c.pre].units;
        let state = repeated(network, units);
        let mut y = Mat::zeros(network.dtype, units, c.factors(network.populations[c.post].units));
        c.wiring.forward(&WeightMat::new(difference(c)), eye(units).view(), y.view_mut());
        let mut u = Mat::zeros(network.dtype, units, network.populations[c.post].units);
        pooled(c, state.pool_cache[shared(network)].view(), y.view(), u.view_mut());
        u.to_f64s().iter().map(|u| u * u).sum()
    }

    fn eye(n: usize) -> Mat {
        Mat::from_fn(bouton_kernels::DType::F64, n, n, |r, c| f64::from(u8::from(r == c)))
    }

    /// The first sample of [`state`], again and again.
    fn repeated(network: &Network, rows: usize) -> State {
        let mut state = state(network, 1).tile(rows);
        network.update_pool_caches(&mut state);
        state
    }

    fn moved(network: &mut Network, feedback: bool, i: usize, by: f64) {
        let id = shared(network);
        let c = &mut network.connections[id];
        let Feedback::Field(back) = &mut c.feedback else { unreachable!() };
        let weight = if feedback { back } else { &mut c.weight };
        weight.update(|mut w| w.slice_mut::<f64>()[i] += by);
    }

    #[test]
    fn unit_vectors_give_the_gradient_of_the_asymmetry() {
        let pools = [PoolSpec::Max(2), PoolSpec::Average(2), SOFT];
        for pool in [None].into_iter().chain(pools.map(Some)) {
            let mut network = network(pool, false);
            let id = shared(&network);
            let units = network.populations[network.connections[id].pre].units;
            let (mut sink, free) = (GradCollector::default(), repeated(&network, units));
            emit_along(id, &network.connections[id], &free, eye(units).view(), 2.0, &network, &mut sink);
            for (feedback, param) in [(false, ParamId::weight(id)), (true, ParamId::feedback(id))] {
                for (i, &got) in sink.values(param).iter().enumerate() {
                    let mut at = |by: f64| {
                        moved(&mut network, feedback, i, by);
                        let apart = apart(&network);
                        moved(&mut network, feedback, i, -by);
                        apart
                    };
                    let numeric = (at(1e-5) - at(-1e-5)) / 2e-5;
                    assert!(
                        (got - numeric).abs() < 1e-7 * (1.0 + numeric.abs()),
                        "{pool:?} {i}: {got} {numeric}"
                    );
                }
            }
        }
    }

    /// The mean over directions is that sum, λ/n times, and nothing where both directions agree.
    #[test]
    fn normal_directions_estimate_it() {
        const SAMPLES: usize = 4000;
        let gradient = |network: &Network| {
            let mut sink = GradCollector::default();
            let (mut free, id) = (repeated(network, SAMPLES), shared(network));
            free.samples = (0..SAMPLES).collect();
            accumulate_grads_shared(network, &free, 1.0 / SAMPLES as f64, &Key::new(1), &mut sink);
            sink.values(ParamId::feedback(id))
        };
        let pool = Some(SOFT);
        let (tied, own) = (network(pool, true), network(pool, false));
        assert!(gradient(&tied).iter().all(|&g| g == 0.0));
        let (id, settling) = (shared(&own), 32 + 12 + 2);
        let (units, mut exact) = (own.populations[own.connections[id].pre].units, GradCollector::default());
        let by = 2.0 * 2.0 / f64::from(settling);
        emit_along(id, &own.connections[id], &repeated(&own, units), eye(units).view(), by, &own, &mut exact);
        let exact = exact.values(ParamId::feedback(id));
        let size = exact.iter().map(|g| g * g).sum::<f64>().sqrt();
        let error = gradient(&own).iter().zip(&exact).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        assert!(error < 0.05 * size, "{error} of {size}");
    }
}
