//! The order in which populations move within a sweep: blocks, one after the other.
//!
//! - synchronous: one block of all settling populations (Jacobi)
//! - even-odd: the parity that contains the output, then the other (block Gauss-Seidel). The output's group comes
//!   first, because a nudge enters there: the other order would waste the first half-sweep of a nudged phase.
//! - forward: one block per feed-forward population, in order

use crate::error::{Error, Result};
use crate::network::{Network, PopId, Role};

/// Blocks of populations that move together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan(pub Vec<Vec<PopId>>);

impl Plan {
    /// All settling populations at once.
    pub fn synchronous(network: &Network) -> Self {
        Self(vec![network.with_role(Role::Settling).collect()])
    }

    /// Settling populations by parity, the output's group first. Refuses networks whose settling populations cannot be
    /// split into two groups without connections inside.
    pub fn even_odd(network: &Network) -> Result<Self> {
        let parity = parity(network)?;
        let group = |of: bool| {
            network.with_role(Role::Settling).filter(|&p| parity[p] == Some(of)).collect::<Vec<_>>()
        };
        let blocks = [group(true), group(false)];
        Ok(Self(blocks.into_iter().filter(|b| !b.is_empty()).collect()))
    }

    /// Feed-forward populations, each after what drives it.
    pub fn forward(network: &Network) -> Self {
        Self(network.with_role(Role::Forward).map(|p| vec![p]).collect())
    }
}

/// Two-colouring of the settling populations; the nudged one (and, where components are separate, each last one) is
/// `true`.
fn parity(network: &Network) -> Result<Vec<Option<bool>>> {
    let settles = |p: PopId| network.populations[p].role == Role::Settling;
    let mut colour = vec![None; network.populations.len()];
    for start in network.with_role(Role::Settling).rev() {
        if colour[start].is_some() {
            continue;
        }
        colour[start] = Some(true);
        let mut open = vec![start];
        while let Some(p) = open.pop() {
            for c in network.connections.iter().filter(|c| settles(c.pre) && settles(c.post)) {
                let Some(other) = [(c.pre, c.post), (c.post, c.pre)].iter().find(|e| e.0 == p).map(|e| e.1)
                else {
                    continue;
                };
                let wanted = colour[p].map(|c| !c);
                if colour[other].is_none() {
                    colour[other] = wanted;
                    open.push(other);
                } else if colour[other] != wanted {
                    return Err(Error::incompatible(
                        format!(
                            "even-odd sweeps need two groups of populations, but {} joins two of one group",
                            c.name
                        ),
                        "use [solver.synchronous]",
                    ));
                }
            }
        }
    }
    Ok(colour)
}
