//! The soft-bounds device: pulses move the weight towards a bound, by less the nearer it is.
//!
//! up: w += a_up (1 − w/b_max + σ ξ);  down: w −= a_down (1 − w/b_min + σ ξ)
//!
//! Fusi & Abbott, Nat. Neurosci. 10:485 (2007); the device is [`crate::device::SoftBounds`], the default population the
//! preset ReRamSB of the IBM Analog Hardware Acceleration Kit. A proposal Δ becomes |Δ|/step pulses, where step is the
//! population's mean and a fraction is the probability of one pulse more: at weight 0 the mean change is Δ. The visible
//! weight has write noise, drawn at each update with a pulse; pulses act on what is behind it.

use super::{Draw, Info, SignKeys, Site, Synapse, SynapseMethod, WeightTraits, array, owned};
use crate::Result;
use crate::axis::{Cite, Place};
use crate::device::{self, SoftBounds, SoftBoundsParameters};
use bouton_kernels::{Elem, View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A weight held by an analog resistive device (`[synapse.soft-bounds]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SoftBoundsSynapse {
    /// The device population: a built-in preset (`bouton list devices`), a file, or the text of one. Default:
    /// `soft-bounds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Whether devices differ. Default true.
    pub d2d: bool,
    /// Whether pulses of a device differ. Default true.
    pub step_noise: bool,
    /// Whether the visible weight is noisy. Default true.
    pub write_noise: bool,
    /// Most pulses of one update, at least 1. Default 31.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000, "x-hint" = "31 is usual"))]
    pub pulses: u32,
}

impl Default for SoftBoundsSynapse {
    fn default() -> Self {
        Self { device: None, d2d: true, step_noise: true, write_noise: true, pulses: 31 }
    }
}

impl SoftBoundsSynapse {
    /// The population of devices.
    ///
    /// # Errors
    /// If its file cannot be read, or a parameter is missing, unknown or impossible.
    pub fn parameters(&self) -> Result<SoftBoundsParameters> {
        let Some(device) = &self.device else { return SoftBoundsParameters::reram() };
        SoftBoundsParameters::from_toml(&device::text("soft-bounds", device)?)
    }

    fn analog(&self) -> Result<Analog> {
        let mut parameters = self.parameters()?;
        parameters.step_noise *= f64::from(u8::from(self.step_noise));
        parameters.write_noise *= f64::from(u8::from(self.write_noise));
        Ok(Analog { parameters, d2d: self.d2d, most: f64::from(self.pulses) })
    }
}

/// The devices of one connection.
#[derive(Debug)]
struct Analog {
    parameters: SoftBoundsParameters,
    d2d: bool,
    most: f64,
}

const VALUES: usize = 6;
const STATES: [&str; VALUES - 1] =
    ["soft-bounds.held", "soft-bounds.up", "soft-bounds.down", "soft-bounds.upper", "soft-bounds.lower"];

impl Analog {
    /// What is seen of `held`.
    fn visible(&self, held: f64, draw: Draw) -> f64 {
        let p = &self.parameters;
        held + if p.write_noise > 0.0 { p.write_noise * p.step * draw.normal::<f64>(0) } else { 0.0 }
    }

    fn init(&self, drawn: f64, draw: Draw) -> [f64; VALUES] {
        let normals = if self.d2d { [1, 2, 3, 4].map(|k| draw.normal(k)) } else { [0.0; 4] };
        let d = self.parameters.draw(normals);
        let held = drawn.clamp(d.lower, d.upper);
        [self.visible(held, draw), held, d.up, d.down, d.upper, d.lower]
    }

    /// The values after a proposal.
    fn update(&self, delta: f64, old: [f64; VALUES], draw: Draw) -> [f64; VALUES] {
        let [_, mut held, up, down, upper, lower] = old;
        let noise = self.parameters.step_noise;
        let device = SoftBounds { up, down, upper, lower, noise };
        let wanted = (delta.abs() / self.parameters.step).min(self.most);
        // Uniform number 2 is not among those of the normal number 0.
        let pulses = (wanted + draw.uniform::<f64>(2)).floor() as u64;
        if pulses == 0 {
            return old;
        }
        for pulse in 0..pulses {
            let normal = if noise > 0.0 { draw.normal(2 + pulse) } else { 0.0 };
            held = device.pulse(held, delta > 0.0, normal);
        }
        [self.visible(held, draw), held, up, down, upper, lower]
    }
}

const INFO: Info = Info { stochastic: true, ..Info::PLAIN };

impl Synapse for Analog {
    fn states(&self) -> Vec<String> {
        owned(&STATES)
    }

    fn info(&self) -> Info {
        INFO
    }

    fn init(&self, key: u64, mut weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        dispatch!(weight.dtype(), T => {
            let mut values = array::<T, VALUES>(&mut weight, state);
            for i in 0..values[0].len() {
                let new = self.init(values[0][i].to_f64(), Draw { key, index: i as u64 });
                values.iter_mut().zip(new).for_each(|(v, new)| v[i] = T::from_f64(new));
            }
        });
    }

    fn update(
        &self,
        key: u64,
        at: usize,
        delta: View<'_>,
        mut weight: ViewMut<'_>,
        state: &mut [ViewMut<'_>],
    ) {
        dispatch!(delta.dtype(), T => {
            let (delta, mut values) = (delta.slice::<T>(), array::<T, VALUES>(&mut weight, state));
            for (i, delta) in delta.iter().enumerate() {
                let old = std::array::from_fn(|k| values[k][i].to_f64());
                let new = self.update(delta.to_f64(), old, Draw { key, index: (at + i) as u64 });
                values.iter_mut().zip(new).for_each(|(v, new)| v[i] = T::from_f64(new));
            }
        });
    }
}

impl SynapseMethod for SoftBoundsSynapse {
    fn check(&self, _: &Place) -> Result<()> {
        self.parameters().map(drop)
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("gong2018")]
    }

    fn traits(&self) -> WeightTraits {
        WeightTraits::real(INFO, true)
    }

    fn sign_keys(&mut self) -> Option<SignKeys<'_>> {
        None
    }

    fn device(&mut self) -> Option<&mut Option<String>> {
        Some(&mut self.device)
    }

    fn examples() -> Vec<Self> {
        let ideal = Self { d2d: false, step_noise: false, write_noise: false, ..Self::default() };
        vec![Self::default(), Self { device: Some("soft-bounds".into()), ..ideal }]
    }

    fn build(&self, _: Site) -> Result<Box<dyn Synapse>> {
        Ok(Box::new(self.analog()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ideal() -> SoftBoundsSynapse {
        SoftBoundsSynapse {
            d2d: false,
            step_noise: false,
            write_noise: false,
            ..SoftBoundsSynapse::default()
        }
    }

    fn at(index: u64) -> Draw {
        Draw { key: 8, index }
    }

    #[test]
    fn whole_pulses_follow_the_closed_form() {
        let analog = ideal().analog().unwrap();
        let mut values = analog.init(0.0, at(0));
        for t in 1..=300_i32 {
            values = analog.update(10.0 * 0.002, values, at(t as u64));
            let law = 1.25 * (1.0 - (1.0 - 0.002 / 1.25_f64).powi(10 * t));
            assert!((values[0] - law).abs() < 1e-12 && values[0] == values[1], "{t}");
        }
        let down = analog.update(-0.002, values, at(0));
        assert!((down[0] - (values[0] - 0.002 * (1.0 + values[0] / 0.75))).abs() < 1e-15);
    }

    #[test]
    fn the_mean_change_at_zero_is_the_proposal() {
        let noisy = SoftBoundsSynapse { step_noise: true, ..ideal() };
        for (spec, tolerance) in [(ideal(), 0.01), (noisy, 0.06)] {
            let analog = spec.analog().unwrap();
            let start = analog.init(0.0, at(0));
            for delta in [0.0007, -0.0013, 0.0026] {
                let n = 100_000;
                let mean = (0..n).map(|i| analog.update(delta, start, at(i))[1]).sum::<f64>() / n as f64;
                assert!((mean / delta - 1.0).abs() < tolerance, "{delta} {mean}");
            }
        }
    }

    #[test]
    fn pulses_are_at_most_as_many_as_allowed() {
        let analog = SoftBoundsSynapse { pulses: 2, ..ideal() }.analog().unwrap();
        let after = analog.update(1.0, analog.init(0.0, at(0)), at(1))[1];
        assert!((after - 1.25 * (1.0 - (1.0 - 0.0016_f64).powi(2))).abs() < 1e-15);
    }

    #[test]
    fn every_switch_changes_its_own_part_and_nothing_else() {
        let run = |spec: SoftBoundsSynapse| {
            let analog = spec.analog().unwrap();
            (0..10).fold(analog.init(0.1, at(3)), |v, t| analog.update(0.011, v, Draw { key: t, index: 3 }))
        };
        let base = run(ideal());
        let changed = |spec| {
            let other = run(spec);
            (0..VALUES).filter(|&k| other[k] != base[k]).collect::<Vec<_>>()
        };
        assert_eq!(changed(SoftBoundsSynapse { write_noise: true, ..ideal() }), [0]);
        assert_eq!(changed(SoftBoundsSynapse { step_noise: true, ..ideal() }), [0, 1]);
        assert_eq!(changed(SoftBoundsSynapse { d2d: true, ..ideal() }), [0, 1, 2, 3, 4, 5]);
    }
}
