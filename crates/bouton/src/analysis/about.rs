//! The properties by name: equation, what it proves, for which recipes. `bouton explain` and `bouton list properties` print them.

use crate::error::{Error, Result};
use crate::recipe::nearest;
use serde::Serialize;

/// What there is to know of a property before it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct About {
    /// Its name in the table of `bouton check`.
    pub id: &'static str,
    /// What is compared.
    pub equation: &'static str,
    /// What holds if it holds.
    pub proves: &'static str,
    /// Which recipes have it.
    pub applies: &'static str,
}

const SETTLING: &str =
    "networks that settle with smooth units, away from kinks, and whose output is judged by its own state";
const THEORY: &str = "no recipe: `bouton check --theory`";

const fn about(
    id: &'static str,
    equation: &'static str,
    proves: &'static str,
    applies: &'static str,
) -> About {
    About { id, equation, proves, applies }
}

/// Every property, in the order in which they are measured.
pub const PROPERTIES: [About; 41] = [
    about(
        "finite",
        "every weight, bias, state of a synapse and running mean is a finite number",
        "training did not diverge; of other networks nothing else is measured",
        "every recipe",
    ),
    about(
        "gradient-differences",
        "∂ℓ/∂w = [ℓ(w + h) − ℓ(w − h)]/2h + O(h²)",
        "backpropagation goes down the loss that the recipe names, with all that stands between weight and loss",
        "networks that pass or move in time, by an exact rule; spiking ones in their smooth twin; connections carry activity and errors",
    ),
    about(
        "dead-units",
        "share of rectified units with s = 0 for all of 256 training samples, at most ½",
        "errors can reach the hidden layers",
        "networks with hidden rectified units",
    ),
    about(
        "silent-or-saturated",
        "share of spiking units with no spike on 256 training samples, or one in more than half of all steps, at most ½",
        "activity passes through the hidden layers, and surrogate slopes are not all zero",
        "networks that move in time, with hidden spiking units",
    ),
    about(
        "gdu-symmetric",
        "[∂Φ/∂θ(s^β_{t+1}) − ∂Φ/∂θ(s^β_t)]/β, mean of ±β, → −∇_θ(t) as β → 0 (Ernoult et al. 2019)",
        "symmetric EP's increment in nudged sweep t is what the t-th last sweep adds to BPTT's gradient",
        "networks that settle, prototypical dynamics, the nudge inside the activation",
    ),
    about(
        "gdu-one-sided",
        "[∂Φ/∂θ(s^β_{t+1}) − ∂Φ/∂θ(s^β_t)]/β → −∇_θ(t) as β → 0 (Ernoult et al. 2019)",
        "one-sided EP's increment in nudged sweep t is what the t-th last sweep adds to BPTT's gradient",
        "networks that settle, prototypical dynamics, the nudge inside the activation",
    ),
    about(
        "bias-one-sided",
        "‖g_β − g‖/‖g‖ ∝ β, g of recurrent backpropagation",
        "one-sided EP has the first-order error that theory gives it, and no other",
        SETTLING,
    ),
    about(
        "bias-symmetric",
        "‖g_β − g‖/‖g‖ ∝ β², g of recurrent backpropagation (Laborieux et al. 2021)",
        "phases at ±β cancel the first-order error",
        SETTLING,
    ),
    about(
        "bias-holomorphic-4",
        "‖g_β − g‖/‖g‖ ∝ β⁴ with 4 points on |β| (Laborieux & Zenke 2022)",
        "the points on the circle cancel all lower orders",
        "networks that settle, of units that continue into the complex plane",
    ),
    about(
        "bias-holomorphic-6",
        "‖g_β − g‖/‖g‖ ∝ β⁶ with 6 points on |β| (Laborieux & Zenke 2022)",
        "the points on the circle cancel all lower orders",
        "networks that settle, of units that continue into the complex plane",
    ),
    about(
        "bias-holomorphic-8",
        "‖g_β − g‖/‖g‖ ∝ β⁸ with 8 points on |β| (Laborieux & Zenke 2022)",
        "the points on the circle cancel all lower orders",
        "networks that settle, of units that continue into the complex plane",
    ),
    about(
        "rbp-is-bptt",
        "Σ_t ∇_θ(t) = (∂F/∂θ)ᵀ (1 − ∂F/∂s)⁻ᵀ ∂ℓ/∂s at the fixed point s = F(s)",
        "recurrent backpropagation solves for the gradient that BPTT sums up",
        SETTLING,
    ),
    about(
        "truncated-ep-is-tbp",
        "[∂Φ/∂θ(s^β_K) − ∂Φ/∂θ(s^{−β}_K)]/2β = −Σ_{t<K} ∇_θ(t) as β → 0",
        "EP stopped after K nudged sweeps is BPTT through the last K sweeps",
        "networks that settle, prototypical dynamics, the nudge inside the activation",
    ),
    about(
        "outside-is-bce",
        "∂ℓ/∂s = ¼ (s − y)/(s(1 − s)) = (s − y)/σ'(d)",
        "a nudge outside a shifted sigmoid goes down ¼ of the binary cross-entropy",
        "networks that settle with the nudge outside a shifted sigmoid",
    ),
    about(
        "continual-is-ep",
        "Δθ/η of continual EP → −g of EP as η → 0 (Ernoult et al. 2020)",
        "updates in every nudged sweep add up to EP's",
        "networks that settle",
    ),
    about(
        "energy-descends",
        "E(s_{k+1}) ≤ E(s_k), E = Σ∫σ⁻¹ − Φ, for every even-odd half-sweep",
        "a half-sweep minimises E over its populations, so that sweeps end",
        "networks that settle with tied feedback, prototypical dynamics, and activations with an inverse in closed form",
    ),
    about(
        "solvers-agree",
        "‖s − s'‖∞ between the fixed points of all solvers",
        "a solver decides how fast a network settles, not where",
        "networks that settle with tied feedback and prototypical dynamics",
    ),
    about(
        "kolen-pollack",
        "W_f − W_b ← (1 − ηλ)(W_f − W_b) (Kolen & Pollack 1994)",
        "feedback weights that take the same updates, with decay, become the forward ones",
        "networks with weights between settling populations",
    ),
    about(
        "symmetry-error",
        "E‖Jv − Jᵀv‖² = 2 Σ‖W_f − W_b‖² over random signs v",
        "what homeostasis goes down is the asymmetry of the Jacobian (Laborieux & Zenke 2024)",
        "networks with dense layers between settling populations",
    ),
    about(
        "cascade-occupancy",
        "p_k = 1/2n for every state",
        "the cascade's states are equally occupied in equilibrium (Fusi et al. 2005)",
        THEORY,
    ),
    about("cascade-first-signal", "s(1) = 2/n", "the first signal falls as the number of levels", THEORY),
    about(
        "cascade-signal",
        "s(t) of the Markov chain, 10 levels",
        "the decay is that of the stored table",
        THEORY,
    ),
    about(
        "cascade-eigenvalue",
        "λ₂ of the chain, 12 levels",
        "the slowest decay is that of the longest path",
        THEORY,
    ),
    about("cascade-lifetime", "best lifetime ∝ N^½", "memories of a cascade last as √N synapses", THEORY),
    about(
        "cascade-gain",
        "best lifetime over that of a single rate, N = 10⁶",
        "a cascade holds memories some three times as long",
        THEORY,
    ),
    about(
        "beakers-slope",
        "kernel ∝ t^−½ (Benna & Fusi 2016)",
        "a chain of beakers forgets by a power law",
        THEORY,
    ),
    about("beakers-variance", "Var(u₁) = c + 1.25 n", "noise grows with the number of beakers alone", THEORY),
    about(
        "beakers-lifetime",
        "lifetime ∝ N",
        "memories of a long chain last in proportion to the synapses",
        THEORY,
    ),
    about(
        "beakers-recurrence",
        "closed kernel(t) = t steps of the chain",
        "the closed form is the dynamics",
        THEORY,
    ),
    about(
        "beakers-conservation",
        "Σ C_k u_k stays without a leak",
        "beakers exchange, and lose nothing",
        THEORY,
    ),
    about(
        "quadratic-importance",
        "ℓ(−b_i) − ℓ(b_i) = −2 b_i q_i + 2 H_ii",
        "what flipping a binary weight costs is known without a try",
        THEORY,
    ),
    about(
        "quadratic-drift",
        "ℓ(−b_i) − ℓ(b_i) = (2/η) d|h_i|/dt + 2 H_ii",
        "the hidden weight grows as fast as its sign is important (Laborieux et al. 2021)",
        THEORY,
    ),
    about("quadratic-pearson", "corr(|h|, cost) ≈ 1", "large hidden weights are the important ones", THEORY),
    about("quadratic-spearman", "rank corr(|h|, cost) ≈ 1", "their order is that of importance", THEORY),
    about(
        "quadratic-path",
        "∫ g·dθ = ℓ(0) − ℓ(T) + O(η)",
        "SI's path integral is the loss decrease (Zenke et al. 2017)",
        THEORY,
    ),
    about(
        "device-population",
        "5, 50 and 95 % of R after 100, 1,000 and 10,000 pulses",
        "simulated devices are those that were measured (Majumdar et al. 2021)",
        THEORY,
    ),
    about(
        "device-continuity",
        "d ln R/dn is continuous at the breakpoint",
        "the two laws of weak RESET meet",
        THEORY,
    ),
    about(
        "device-pink-mean",
        "E[noise] = 0.0542",
        "pink noise has the stationary mean of its filter",
        THEORY,
    ),
    about("device-pink-slope", "density ∝ 1/f", "the noise is pink", THEORY),
    about(
        "device-telegraph",
        "p_high = 0.2857",
        "telegraph noise stays in its states for the fitted times",
        THEORY,
    ),
    about(
        "soft-bounds",
        "w_n = b_max (1 − (1 − a/b_max)ⁿ)",
        "pulses of a device with soft bounds add up to the closed form",
        THEORY,
    ),
];

/// The property called `id`.
///
/// # Errors
/// [`Error::Config`] with the nearest name if there is none.
pub fn property(id: &str) -> Result<&'static About> {
    PROPERTIES.iter().find(|about| about.id == id).ok_or_else(|| {
        Error::config(format!("`bouton check` measures no `{id}`"))
            .with_hint(nearest(id, PROPERTIES.iter().map(|about| about.id)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{CheckContext, check};
    use crate::recipe::Recipe;

    /// Every property that a check measures or passes over is known here, in the same order, and nothing else.
    #[test]
    fn the_properties_are_those_that_are_measured() {
        let text = "[task.synthetic]\nshape = [1, 2, 2]\nclasses = 3\ntrain = 8\ntest = 4\nbatch = 4\nepochs = 1\n\
            [network]\nlayers = [4, 5, 3]\n[neuron.relu]\n[credit.backprop]\n[optim.sgd]\nlr = 0.1\n";
        let recipe = Recipe::parse(text, "test").unwrap();
        let findings = check(&mut CheckContext::new(&recipe, None, None).unwrap()).unwrap();
        let theory = crate::theory::report().unwrap();
        let measured: Vec<String> = findings.properties.into_iter().chain(theory).map(|p| p.id).collect();
        assert_eq!(measured, PROPERTIES.map(|about| about.id.to_owned()));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        assert_eq!(property("rbp-is-bptt").unwrap().id, "rbp-is-bptt");
        assert_eq!(property("rbp-is-bpt").unwrap_err().hint(), Some("did you mean `rbp-is-bptt`?"));
    }
}
