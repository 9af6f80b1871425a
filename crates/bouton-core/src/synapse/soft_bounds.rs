//! The soft-bounds device: pulses move the weight towards a bound, by less the nearer it is.
//!
//! up: w += a_up (1 − w/b_max + σ ξ);  down: w −= a_down (1 − w/b_min + σ ξ)
//!
//! Linear and constant steps, noise that multiplies them and a reference of each device are settings of the device's file. Fusi & Abbott, Nat. Neurosci. 10:485 (2007); the device is [`crate::device::SoftBounds`], the default population the
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

    pub(super) fn analog(&self, key: u64) -> Result<Analog> {
        let mut parameters = self.parameters()?;
        parameters.step_noise *= f64::from(u8::from(self.step_noise));
        parameters.write_noise *= f64::from(u8::from(self.write_noise));
        Ok(Analog { parameters, d2d: self.d2d, most: f64::from(self.pulses), key })
    }
}

/// The devices of one connection.
#[derive(Debug)]
pub(super) struct Analog {
    parameters: SoftBoundsParameters,
    d2d: bool,
    most: f64,
    /// Draws what a device keeps beside its states.
    key: u64,
}

/// Values of a device: the visible weight, then its states.
pub(super) const VALUES: usize = 6;
const STATES: [&str; VALUES - 1] =
    ["soft-bounds.held", "soft-bounds.up", "soft-bounds.down", "soft-bounds.upper", "soft-bounds.lower"];

impl Analog {
    /// The device number `index` of these steps and bounds.
    fn device(&self, steps: [f64; 4], index: u64) -> SoftBounds {
        let draw = Draw { key: self.key, index };
        let drawn = self.d2d && !self.parameters.is_plain();
        let normals = if drawn { [0, 1, 2].map(|k| draw.normal(k)) } else { [0.0; 3] };
        self.parameters.device(steps, normals)
    }

    /// What is seen of `held`.
    fn visible(&self, held: f64, device: &SoftBounds, draw: Draw) -> f64 {
        let p = &self.parameters;
        let noise = if p.write_noise > 0.0 { p.write_noise * p.step * draw.normal::<f64>(0) } else { 0.0 };
        held - device.reference + noise
    }

    /// The first values of a device that should have the weight `drawn`.
    pub(super) fn init(&self, drawn: f64, draw: Draw) -> [f64; VALUES] {
        let normals = if self.d2d { [1, 2, 3, 4].map(|k| draw.normal(k)) } else { [0.0; 4] };
        let [step, asymmetry, upper, lower] = normals;
        let SoftBounds { up, down, upper, lower, .. } =
            self.parameters.draw([step, asymmetry, upper, lower, 0.0, 0.0, 0.0]);
        let device = self.device([up, down, upper, lower], draw.index);
        let held = (drawn + device.reference).clamp(lower, upper);
        [self.visible(held, &device, draw), held, up, down, upper, lower]
    }

    /// The values after a proposal.
    fn update(&self, delta: f64, old: [f64; VALUES], draw: Draw) -> [f64; VALUES] {
        let wanted = (delta.abs() / self.parameters.step).min(self.most);
        // Uniform number 2 is not among those of the normal number 0.
        let pulses = (wanted + draw.uniform::<f64>(2)).floor() as u64;
        self.pulsed(pulses, delta > 0.0, old, draw)
    }

    /// The values after so many pulses.
    pub(super) fn pulsed(&self, pulses: u64, up: bool, old: [f64; VALUES], draw: Draw) -> [f64; VALUES] {
        if pulses == 0 {
            return old;
        }
        let [_, mut held, steps @ ..] = old;
        let device = self.device(steps, draw.index);
        for pulse in 0..pulses {
            let normal = if device.noise > 0.0 { draw.normal(2 + pulse) } else { 0.0 };
            held = device.pulse(held, up, normal);
        }
        let [up, down, upper, lower] = steps;
        [self.visible(held, &device, draw), held, up, down, upper, lower]
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
        // Other files tell of their own sources.
        let own = self.device.as_deref().is_none_or(|device| device == "soft-bounds");
        if own { vec![Cite::of("gong2018")] } else { Vec::new() }
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

    fn imperfections(&self) -> &'static [&'static str] {
        &["d2d", "step-noise", "write-noise"]
    }

    fn examples() -> Vec<Self> {
        let ideal = Self { d2d: false, step_noise: false, write_noise: false, ..Self::default() };
        vec![Self::default(), Self { device: Some("soft-bounds".into()), ..ideal }]
    }

    fn build(&self, site: Site) -> Result<Box<dyn Synapse>> {
        Ok(Box::new(self.analog(site.key)?))
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
        let analog = ideal().analog(6).unwrap();
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
            let analog = spec.analog(6).unwrap();
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
        let analog = SoftBoundsSynapse { pulses: 2, ..ideal() }.analog(6).unwrap();
        let after = analog.update(1.0, analog.init(0.0, at(0)), at(1))[1];
        assert!((after - 1.25 * (1.0 - (1.0 - 0.0016_f64).powi(2))).abs() < 1e-15);
    }

    #[test]
    fn every_switch_changes_its_own_part_and_nothing_else() {
        let run = |spec: SoftBoundsSynapse| {
            let analog = spec.analog(6).unwrap();
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

    /// A reference of each device moves what is seen, not what the device does.
    #[test]
    fn a_weight_counts_from_the_reference_of_its_device() {
        let text = device::built_in("reram-array-om").unwrap().to_owned();
        let plain = text.replace("centred = true", "").replace("reference-spread = 0.05", "");
        let built = |text: &str| {
            let mut spec = SoftBoundsSynapse { device: Some(text.into()), d2d: true, ..ideal() };
            spec.step_noise = true;
            spec.analog(6).unwrap()
        };
        let (centred, bare) = (built(&text), built(&plain));
        for index in 0..50 {
            let first = centred.init(0.02, at(index));
            let other = bare.init(first[1], at(index));
            let [a, b] = [centred.update(0.3, first, at(index)), bare.update(0.3, other, at(index))];
            assert_eq!(a[1..], b[1..], "the same pulses");
            let moved = [a[0] - first[0], b[0] - other[0]];
            assert!((moved[0] - moved[1]).abs() < 1e-12 && (b[0] - a[0]).abs() > 1e-6, "{a:?} {b:?}");
        }
    }
}
