//! Numbers of synapses that cannot be meant together.

use super::{per_layer, require};
use crate::Result;
use crate::synapse::{Beakers, BinaryBeakers, Mesu, SynapseSpec};

/// Checks the numbers of `synapse` on one of `connections` connections against each other.
pub(super) fn check(synapse: &SynapseSpec, connections: usize) -> Result<()> {
    match synapse {
        SynapseSpec::Metaplastic(s) => per_layer("synapse.metaplastic.m", &s.m, connections),
        SynapseSpec::Beakers(s) => beakers(s),
        SynapseSpec::Mesu(s) => mesu(s, connections),
        SynapseSpec::BinaryBeakers(s) => binary_beakers(s),
        _ => synapse.check_device(),
    }
}

/// What an unstable chain has to be.
const STABLE: &str = "smaller: a beaker would lose all it has in one update";

fn beakers(s: &Beakers) -> Result<()> {
    let slower = s.beta >= s.alpha;
    require(slower, "synapse.beakers.beta", s.beta, "at least alpha", "2500 is usual for an alpha of 500")?;
    require(s.largest_loss() < 1.0, "synapse.beakers.coupling", s.coupling, STABLE, "or raise alpha")
}

fn mesu(s: &Mesu, connections: usize) -> Result<()> {
    s.start.as_ref().map_or(Ok(()), |start| per_layer("synapse.mesu.start", start, connections))?;
    let ok = s.spread_rate * s.clip < 2.0;
    let need = "below 2/clip, so that the spread stays positive";
    require(ok, "synapse.mesu.spread-rate", s.spread_rate, need, "lower it, or clip")
}

fn binary_beakers(s: &BinaryBeakers) -> Result<()> {
    let (pipes, areas) = (s.pipes.len(), s.areas.len());
    let fits = BinaryBeakers::LENGTHS.contains(&pipes);
    require(
        fits,
        "synapse.binary-beakers.pipes",
        format!("a list of {pipes}"),
        "of 2 to 1000",
        "4 are usual",
    )?;
    let key = "synapse.binary-beakers.areas";
    require(areas == pipes, key, format!("a list of {areas}"), &format!("of {pipes}"), "one for each pipe")?;
    let pipes = format!("{:?}", s.pipes);
    require(s.largest_loss() < 1.0, "synapse.binary-beakers.pipes", pipes, STABLE, "or raise the areas")
}
