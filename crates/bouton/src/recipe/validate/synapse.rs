//! Numbers of synapses that cannot be meant.

use super::{at_least_one, not_negative, per_layer, positive, require};
use crate::Result;
use crate::synapse::{BayesBiNn, Beakers, BiMu, BinaryBeakers, Cascade, Mesu, Rram, SoftBound, SynapseSpec};

const SCALE: &str = "1, or about 1/√fan_in without normalisation";

/// Checks every number of `synapse` on one of `connections` connections.
pub(super) fn check(synapse: &SynapseSpec, connections: usize) -> Result<()> {
    match synapse {
        SynapseSpec::Plain(_) => Ok(()),
        SynapseSpec::Binary(s) => {
            positive("synapse.binary.scale", s.scale, SCALE)?;
            s.window.map_or(Ok(()), |w| positive("synapse.binary.window", w, "1 is usual"))?;
            s.clip.map_or(Ok(()), |c| positive("synapse.binary.clip", c, "1 is usual"))
        }
        SynapseSpec::Metaplastic(s) => {
            positive("synapse.metaplastic.scale", s.scale, SCALE)?;
            per_layer("synapse.metaplastic.m", &s.m, connections, |key, m| {
                not_negative(key, m, "1.35 is usual")
            })
        }
        SynapseSpec::Bop(s) => {
            positive("synapse.bop.scale", s.scale, SCALE)?;
            let share = s.gamma > 0.0 && s.gamma <= 1.0;
            require(share, "synapse.bop.gamma", s.gamma, "above 0 and up to 1", "1e-4 is usual")?;
            not_negative("synapse.bop.threshold", s.threshold, "1e-8 is usual")
        }
        SynapseSpec::Beakers(s) => beakers(s),
        SynapseSpec::Cascade(s) => cascade(s),
        SynapseSpec::BayesBiNn(s) => bayesbinn(s),
        SynapseSpec::BiMu(s) => bimu(s),
        SynapseSpec::Mesu(s) => mesu(s, connections),
        SynapseSpec::BinaryBeakers(s) => binary_beakers(s),
        SynapseSpec::Rram(s) => rram(s),
        SynapseSpec::SoftBounds(s) => soft_bounds(s),
    }
}

/// What an unstable chain has to be.
const STABLE: &str = "smaller: a beaker would lose all it has in one update";

fn beakers(s: &Beakers) -> Result<()> {
    let fits = Beakers::LENGTHS.contains(&s.length);
    require(fits, "synapse.beakers.length", s.length, "from 2 to 1000", "5 is usual")?;
    positive("synapse.beakers.alpha", s.alpha, "500 is usual")?;
    let slower = s.beta >= s.alpha && s.beta.is_finite();
    require(slower, "synapse.beakers.beta", s.beta, "at least alpha", "2500 is usual for an alpha of 500")?;
    not_negative("synapse.beakers.coupling", s.coupling, "1, or the learning rate")?;
    require(s.largest_loss() < 1.0, "synapse.beakers.coupling", s.coupling, STABLE, "or raise alpha")
}

fn cascade(s: &Cascade) -> Result<()> {
    let some = (1..=30).contains(&s.levels);
    require(some, "synapse.cascade.levels", s.levels, "from 1 to 30", "5 is usual")?;
    let ratio = s.ratio > 0.0 && s.ratio <= 0.5;
    require(ratio, "synapse.cascade.ratio", s.ratio, "above 0 and up to 0.5", "0.5 is usual")?;
    positive("synapse.cascade.step", s.step, "about the largest proposal: the learning rate, with Adam")?;
    positive("synapse.cascade.scale", s.scale, SCALE)
}

fn bayesbinn(s: &BayesBiNn) -> Result<()> {
    let share = s.rate > 0.0 && s.rate <= 1.0;
    require(share, "synapse.bayesbinn.rate", s.rate, "above 0 and up to 1", "1e-3 is usual")?;
    positive("synapse.bayesbinn.samples", s.samples, "the number of samples of a task")?;
    positive("synapse.bayesbinn.temperature", s.temperature, "0.01 is usual")?;
    not_negative("synapse.bayesbinn.start", s.start, "10 is usual")?;
    positive("synapse.bayesbinn.scale", s.scale, SCALE)
}

fn bimu(s: &BiMu) -> Result<()> {
    positive("synapse.bimu.rate", s.rate, "4.9 is usual")?;
    positive("synapse.bimu.gain", s.gain, "161.3 is usual")?;
    not_negative("synapse.bimu.kappa", s.kappa, "3.76 is usual")?;
    positive("synapse.bimu.rate-max", s.rate_max, "0.0023 is usual")?;
    positive("synapse.bimu.window", s.window, "700 is usual")?;
    positive("synapse.bimu.temperature", s.temperature, "1 is usual")?;
    positive("synapse.bimu.scale", s.scale, SCALE)
}

fn mesu(s: &Mesu, connections: usize) -> Result<()> {
    positive("synapse.mesu.rate", s.rate, "1.6 is usual")?;
    not_negative("synapse.mesu.spread-rate", s.spread_rate, "2.1 is usual")?;
    positive("synapse.mesu.spread", s.spread, "0.3 is usual")?;
    if let Some(start) = &s.start {
        let check = |key: &str, v| positive(key, v, "1/√fan_in is usual");
        per_layer("synapse.mesu.start", start, connections, check)?;
    }
    positive("synapse.mesu.window", s.window, "6e5 is usual")?;
    positive("synapse.mesu.clip", s.clip, "0.36 is usual")?;
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
    s.pipes.iter().try_for_each(|r| not_negative("synapse.binary-beakers.pipes", *r, "1e-2 is usual"))?;
    s.areas.iter().try_for_each(|a| positive(key, *a, "1 is usual"))?;
    not_negative("synapse.binary-beakers.feedback", s.feedback, "5e-3 is usual")?;
    not_negative("synapse.binary-beakers.m", s.m, "1.35 is usual")?;
    positive("synapse.binary-beakers.scale", s.scale, SCALE)?;
    let pipes = format!("{:?}", s.pipes);
    require(s.largest_loss() < 1.0, "synapse.binary-beakers.pipes", pipes, STABLE, "or raise the areas")
}

fn rram(s: &Rram) -> Result<()> {
    not_negative("synapse.rram.m", s.m, "leave it out for no protection")?;
    let some = (1..=10_000).contains(&s.pulses);
    require(some, "synapse.rram.pulses", s.pulses, "from 1 to 10000", "14 is usual")?;
    positive("synapse.rram.scale", s.scale, SCALE)?;
    s.parameters().map(drop)
}

fn soft_bounds(s: &SoftBound) -> Result<()> {
    at_least_one("synapse.soft-bounds.pulses", Some(s.pulses.into()), "31 is usual")?;
    s.parameters().map(drop)
}
