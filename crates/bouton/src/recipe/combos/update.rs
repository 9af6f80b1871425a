//! What ways from gradients to an update go with.

use super::{Refusal, refusal, rule};
use crate::recipe::{Recipe, variant_name};
use crate::task::{All, BatchSize};

/// The warm-up's factor, like the schedule's, is on rates that such synapses do not have.
pub(super) fn warm_up_of_raw(r: &Recipe) -> Refusal {
    if r.update.warm_up.is_some() && r.synapse.method().traits().info.own_step_size {
        let synapse = variant_name(&r.synapse);
        return refusal(
            format!("{synapse} has a step size of its own, which update.warm-up would not reach"),
            "leave it out, or use a synapse that takes an optimiser's proposals, such as synapse.metaplastic",
        );
    }
    None
}

/// Weights stay where they are while the gradients of several batches are gathered.
pub(super) fn gathered(r: &Recipe) -> Refusal {
    if r.update.batches() == 1 {
        return None;
    }
    if rule(r).online {
        return refusal(
            format!(
                "weights move after every sweep of {}, so no update waits for update.accumulate batches",
                variant_name(&r.credit)
            ),
            "leave update.accumulate out, or use credit.eq-prop",
        );
    }
    if r.task.batch() == BatchSize::All(All::All) {
        return refusal(
            "batch = \"all\" leaves no further batch for update.accumulate to gather",
            "leave update.accumulate out, or give batch a number",
        );
    }
    if r.continual.replay.is_some() {
        return refusal(
            "continual.replay adds samples to every update, which update.accumulate would cut into batches without regard to them",
            "leave update.accumulate out and use a larger batch",
        );
    }
    None
}
