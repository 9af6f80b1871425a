//! What the devices of a recipe do other than ideal ones, as switches.

use super::{Recipe, variant_name};
use serde_json::Value;

/// A switch of the synapses of a recipe, wherever it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imperfection {
    /// Its key, without the table of the synapse.
    pub name: String,
    /// The full keys, one for each place where there is such a synapse.
    pub keys: Vec<String>,
}

impl Recipe {
    /// The imperfections of its devices that can be switched, in the order of its synapses.
    pub fn imperfections(&self) -> Vec<Imperfection> {
        let mut all: Vec<Imperfection> = Vec::new();
        for (place, synapse) in self.synapses() {
            let member = variant_name(synapse);
            for name in synapse.method().imperfections() {
                let key = format!("{place}.{member}.{name}");
                match all.iter_mut().find(|other| other.name == *name) {
                    Some(known) => known.keys.push(key),
                    None => all.push(Imperfection { name: (*name).to_owned(), keys: vec![key] }),
                }
            }
        }
        all
    }

    /// Whether every switch of `imperfection` is on.
    pub fn has(&self, imperfection: &Imperfection) -> bool {
        let recipe = serde_json::to_value(self).unwrap_or_default();
        let is_on = |key: &String| key.split('.').fold(&recipe, |at, word| &at[word]) == &Value::Bool(true);
        imperfection.keys.iter().all(is_on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_synapse_tells_of_its_own() {
        let text = include_str!("../../../../recipes/crossings/ep-rram.toml");
        let recipe = Recipe::parse(text, "ep-rram.toml").unwrap();
        let names = |r: &Recipe| r.imperfections().into_iter().map(|i| i.name).collect::<Vec<_>>();
        assert_eq!(names(&recipe), ["d2d", "rtn", "pink", "offset"]);
        let first = &recipe.imperfections()[0];
        assert_eq!(first.keys, ["synapse.rram.d2d"]);
        assert!(recipe.has(first));
        let off = recipe.with_overrides(&["synapse.rram.d2d=false"]).unwrap();
        assert!(!off.has(first) && off.has(&off.imperfections()[1]));
        let plain = recipe.with_overrides(&["synapse=plain"]).unwrap();
        assert!(plain.imperfections().is_empty());
    }
}
