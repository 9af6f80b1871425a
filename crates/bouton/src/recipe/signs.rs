//! The sign conventions of other libraries, as one key: `signs = "larq"`.
//!
//! | `signs` | sign(0) | weights learn | units learn | hidden weights |
//! |---|---|---|---|---|
//! | `larq` | +1 | where \|W^h\| ≤ 1 | where \|d\| ≤ 1 | clipped to ±1 |
//! | `brevitas` | +1 | always | where \|d\| ≤ 1 | clipped to ±1 |
//! | `hubara` | 0 | always | where \|d\| ≤ 1 | clipped to ±1 |
//! | `laborieux` | 0 | always | where \|d\| ≤ 1 | free |
//!
//! The first networks of this kind (Courbariaux et al. 2016) do as `brevitas` does, except perhaps at zero. The key is
//! spelled out when a recipe is read: what is run, hashed and stored has the keys that it stands for. Another synapse
//! chosen by an override therefore needs `signs` again.

use super::{Recipe, variant_name};
use crate::neuron::Surrogate;
use crate::synapse::SignOfZero;
use crate::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whose sign conventions a binary network follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Signs {
    /// Larq's `ste_sign` and `weight_clip`.
    Larq,
    /// The binary quantisers of Brevitas.
    Brevitas,
    /// `BinaryNet.pytorch`.
    Hubara,
    /// The code of the metaplasticity and resistive-pair papers.
    Laborieux,
}

/// The keys that `signs` spells out, of every neuron and every synapse.
const UNIT_KEYS: [&str; 2] = ["zero", "surrogate"];
const WEIGHT_KEYS: [&str; 3] = ["zero", "window", "clip"];

impl Signs {
    fn zero(self) -> SignOfZero {
        match self {
            Self::Larq | Self::Brevitas => SignOfZero::Plus,
            Self::Hubara | Self::Laborieux => SignOfZero::Zero,
        }
    }

    fn window(self) -> Option<f64> {
        (self == Self::Larq).then_some(1.0)
    }

    fn clip(self) -> Option<f64> {
        (self != Self::Laborieux).then_some(1.0)
    }

    /// Sets every key that this stands for.
    ///
    /// # Errors
    /// [`Error::Incompatible`] if `recipe` has no signs, or synapses that could not follow.
    fn set(self, recipe: &mut Recipe) -> Result<()> {
        let mut signed = 0;
        for (_, neuron) in recipe.neurons_mut() {
            if let Some((zero, surrogate)) = neuron.method_mut().and_then(|unit| unit.sign_keys()) {
                (*zero, *surrogate) = (self.zero(), Surrogate::Window);
                signed += 1;
            }
        }
        for (place, synapse) in recipe.synapses_mut() {
            if let Some(keys) = synapse.method_mut().and_then(|synapse| synapse.sign_keys()) {
                let fits = set(keys.window, self.window()) && set(keys.clip, self.clip());
                *keys.zero = self.zero();
                fits.then_some(()).ok_or_else(|| self.unfit(&place, &variant_name(synapse)))?;
                signed += 1;
            }
        }
        let any = (signed > 0).then_some(());
        any.ok_or_else(|| Error::incompatible("`signs` is set, but nothing here has a sign", "leave it out"))
    }

    fn unfit(self, place: &str, synapse: &str) -> Error {
        let message = format!(
            "signs = \"{}\" bounds hidden weights, {place}.{synapse} has no bound",
            variant_name(&self)
        );
        Error::incompatible(message, format!("use signs = \"laborieux\", or {place}.binary"))
    }
}

/// Sets a bound; whether that can be done, as leaving out one that there is none of can.
fn set(key: Option<&mut Option<f64>>, bound: Option<f64>) -> bool {
    key.map_or(bound.is_none(), |key| {
        *key = bound;
        true
    })
}

impl Recipe {
    /// Spells `signs` out. `written` tells whether the author wrote a key of a table, such as `zero` of `synapse.binary`.
    ///
    /// # Errors
    /// [`Error::Config`] if a written key says something else; [`Error::Incompatible`] if `signs` does not fit.
    pub(super) fn expand_signs(mut self, written: impl Fn(&[&str]) -> bool) -> Result<Self> {
        let Some(signs) = self.signs.take() else { return Ok(self) };
        let before = self.clone();
        signs.set(&mut self)?;
        let json = [&before, &self].map(|recipe| serde_json::to_value(recipe).unwrap_or_default());
        let [old, new] = &json;
        let contradicted = |place: &String| {
            let keys: Vec<&str> = place.split('.').collect();
            written(&keys) && value_at(old, &keys) != value_at(new, &keys)
        };
        match self.sign_places().into_iter().find(contradicted) {
            None => Ok(self),
            Some(place) => Err(Error::config(format!(
                "`{place}` is not what signs = \"{}\" means",
                variant_name(&signs)
            ))
            .with_hint("leave one of the two out")),
        }
    }

    /// Where the keys stand that `signs` spells out.
    fn sign_places(&self) -> Vec<String> {
        let units = self.neurons().map(|(place, neuron)| (place, variant_name(neuron), &UNIT_KEYS[..]));
        let weights =
            self.synapses().map(|(place, synapse)| (place, variant_name(synapse), &WEIGHT_KEYS[..]));
        let full = |(place, member, keys): (String, String, &[&str])| {
            keys.iter().map(|key| format!("{place}.{member}.{key}")).collect::<Vec<_>>()
        };
        units.chain(weights).flat_map(full).collect()
    }
}

/// The value that `keys` lead to.
fn value_at<'a>(recipe: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().try_fold(recipe, |at, key| at.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(signs: &str, units: &str, synapse: &str) -> Result<Recipe> {
        let text = format!(
            "{signs}\n[task.digits]\nbatch = 4\nepochs = 1\n[network]\nlayers = [64, 10]\n[neuron.sign]\n{units}\n\
             [credit.backprop]\n[synapse.{synapse}\n[optim.sgd]\nlr = 0.1\n"
        );
        Recipe::parse(&text, "r.toml")
    }

    #[test]
    fn one_key_stands_for_the_keys_of_the_table() {
        for (signs, units, weights) in [
            ("larq", "", "window = 1.0\nclip = 1.0"),
            ("brevitas", "", "clip = 1.0"),
            ("hubara", "zero = \"zero\"", "zero = \"zero\"\nclip = 1.0"),
            ("laborieux", "zero = \"zero\"", "zero = \"zero\""),
        ] {
            let key = format!("signs = \"{signs}\"");
            let short = read(&key, "", "binary]").unwrap();
            let long = read("", units, &format!("binary]\n{weights}")).unwrap();
            assert_eq!(short, long);
            assert_eq!(short.hash(), long.hash());
            // Written beside the key, the same is no contradiction.
            assert_eq!(read(&key, units, &format!("binary]\n{weights}")).unwrap(), long);
        }
        let short = read("signs = \"laborieux\"", "", "metaplastic]\nm = 1.0").unwrap();
        assert_eq!(short, read("", "zero = \"zero\"", "metaplastic]\nm = 1.0\nzero = \"zero\"").unwrap());
    }

    #[test]
    fn contradictions_are_refused() {
        let error = |signs: &str, units, synapse| {
            read(&format!("signs = \"{signs}\""), units, synapse).unwrap_err().to_string()
        };
        assert!(error("larq", "", "binary]\nclip = 2.0").contains("`synapse.binary.clip`"));
        assert!(error("hubara", "zero = \"plus\"", "binary]").contains("`neuron.sign.zero`"));
        assert!(error("larq", "surrogate = \"swish\"", "binary]").contains("`neuron.sign.surrogate`"));
        assert!(error("larq", "", "metaplastic]\nm = 1.0").contains("no bound"));
    }

    #[test]
    fn as_an_override_it_replaces_what_was_there_wherever_it_stands() {
        let recipe = read("signs = \"laborieux\"", "", "binary]").unwrap();
        let larq = read("signs = \"larq\"", "", "binary]").unwrap();
        assert_eq!(recipe.with_overrides(&["signs=larq"]).unwrap(), larq);
        let metaplastic = read("", "", "metaplastic]\nm = 1.0").unwrap();
        for both in [["signs=larq", "synapse=binary"], ["synapse=binary", "signs=larq"]] {
            assert_eq!(metaplastic.with_overrides(&both).unwrap(), larq);
        }
        let over = larq.with_overrides(&["signs=laborieux", "synapse.metaplastic.m=1.0"]).unwrap();
        assert_eq!(over, read("signs = \"laborieux\"", "", "metaplastic]\nm = 1.0").unwrap());
        for clip in ["synapse.binary.clip=2.0", "synapse={binary={clip=2.0}}"] {
            let error = recipe.with_overrides(&["signs=larq", clip]).unwrap_err().to_string();
            assert!(error.contains("`synapse.binary.clip`"), "{error}");
        }
        assert!(recipe.with_overrides(&["signs=lark"]).unwrap_err().to_string().contains("signs"));
    }
}
