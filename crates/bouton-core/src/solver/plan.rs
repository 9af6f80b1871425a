//! The order in which populations move within a sweep: blocks, one after the other.
//!
//! - synchronous: one block of all settling populations (Jacobi)
//! - even-odd: the parity that contains the output, then the other (block Gauss-Seidel); as many groups as it takes where
//!   skips join populations of one parity. The output's group comes first, because a nudge enters there: the other order
//!   would waste the first half-sweep of a nudged phase.
//! - forward: one block per feed-forward population, in order

use crate::network::{Network, PopId, Role};

/// Blocks of populations that move together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan(pub Vec<Vec<PopId>>);

impl Plan {
    /// All settling populations at once.
    pub fn synchronous(network: &Network) -> Self {
        Self(vec![network.with_role(Role::Settling).collect()])
    }

    /// Settling populations in groups without connections inside, the output's group first: greedy colours from the last
    /// population back to the first, which are the two parities of a chain.
    pub fn even_odd(network: &Network) -> Self {
        let mut groups: Vec<Vec<PopId>> = Vec::new();
        for p in network.with_role(Role::Settling).rev() {
            let joined = |q: &PopId| {
                network.connections.iter().any(|c| [(c.pre, c.post), (c.post, c.pre)].contains(&(p, *q)))
            };
            match groups.iter_mut().find(|group| !group.iter().any(joined)) {
                Some(group) => group.push(p),
                None => groups.push(vec![p]),
            }
        }
        groups.iter_mut().for_each(|group| group.sort_unstable());
        Self(groups)
    }

    /// Feed-forward populations, each after what drives it.
    pub fn forward(network: &Network) -> Self {
        Self(network.with_role(Role::Forward).map(|p| vec![p]).collect())
    }
}
