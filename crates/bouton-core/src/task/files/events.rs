//! Recordings of event cameras (`task.files.events`), as steps of time: with e an event, T the last one's time, all from the first,
//!
//!   n[s, p, y, x] = #{e : p_e = p, y_e = y, x_e = x, s = ⌊t_e / bin⌋}   or, with `steps` alone,   s = ⌊steps · t_e / (T + 1)⌋
//!
//! A step is all numbers n[s, ·], channels, rows, columns.

use crate::axis::Place;
use crate::error::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most steps of a recording.
const MOST_STEPS: u64 = 65_536;

/// How the bytes of an event are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// 5 bytes an event, as in N-MNIST (`.bin`, `.bs2`).
    NMnist,
    /// AEDAT 2.0 of a DVS128: a header, 8 bytes an event.
    Aedat2,
}

/// How recordings of events become steps: `steps` or `bin` or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Events {
    /// How the files are laid out.
    pub form: Form,
    /// Height and width of the camera in pixels; at most 240 and 256 for `n-mnist`, 128 and 128 for `aedat2`.
    #[schemars(extend("minimum" = 1, "maximum" = 256, "x-hint" = "[34, 34] for N-MNIST, [128, 128] for a DVS128"))]
    pub size: [usize; 2],
    /// Length of a step in µs, from the first event of a recording on. Default: a recording is cut into `steps` equal ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000_000, "x-hint" = "10000, which are 10 ms, are usual"))]
    pub bin: Option<u64>,
    /// Steps of every recording; with `bin`, what comes later is left out. Default: as many as there are bins, each recording with its
    /// own length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "20 to 100 are usual"))]
    pub steps: Option<usize>,
    /// Take both polarities as one channel. Default false: polarity 0 is the first channel, 1 the second.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub merged: bool,
    /// Whether there was an event (0 or 1) instead of how many. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub binary: bool,
}

impl Events {
    /// Refuses what the layout cannot hold, and recordings that nothing cuts into steps.
    ///
    /// # Errors
    /// [`Error::Config`] with the key and a hint.
    pub(super) fn check(&self, at: &Place) -> Result<()> {
        let most = if self.form == Form::NMnist { [240, 256] } else { [128, 128] };
        if self.size.iter().zip(most).any(|(size, most)| !(1..=most).contains(size)) {
            let message = format!("{}.events.size = {:?} does not go with the form", at.table, self.size);
            return Err(Error::config(message)
                .with_hint(format!("height and width are at least 1 and at most {most:?}")));
        }
        if self.bin.is_none() && self.steps.is_none() {
            return Err(Error::config(format!("{}.events needs `steps` or `bin`", at.table)).with_hint(
                "steps = 30 cuts each recording into 30 steps; bin = 10000 makes steps of 10 ms",
            ));
        }
        if self.bin == Some(0) || self.steps.is_some_and(|steps| !(1..=MOST_STEPS as usize).contains(&steps))
        {
            return Err(Error::config(format!("{}.events has a `bin` or `steps` out of bounds", at.table))
                .with_hint("bin is at least 1 µs, steps are 1 to 65536"));
        }
        Ok(())
    }

    /// Numbers of a step: channels × height × width.
    fn features(&self) -> usize {
        (2 - usize::from(self.merged)) * self.size[0] * self.size[1]
    }
}

#[cfg(feature = "import")]
pub(super) use reading::read;

#[cfg(feature = "import")]
mod reading {
    use super::super::memory;
    use super::super::records::{self, Event};
    use super::super::table::{Inputs, Named, Table};
    use super::{Error, Events, MOST_STEPS, Result};
    use crate::encoder::Spans;
    use rayon::prelude::*;
    use std::path::{Path, PathBuf};

    /// The recordings in some files, of whose classes nothing is known. Each file is read twice: for its steps, and, when it is known
    /// what all take, for its events.
    ///
    /// # Errors
    /// [`Error::Data`] with file and record for the first that cannot be understood.
    pub fn read(place: &Path, files: &[PathBuf], spec: &Events) -> Result<Table> {
        let place = place.display().to_string();
        let lengths = files
            .par_iter()
            .map(|file| spec.own_steps(&open(file, spec)?).map_err(|error| error.context(file.display())))
            .collect::<Vec<_>>();
        let lengths = lengths.into_iter().collect::<Result<Vec<usize>>>()?;
        let steps = lengths.iter().copied().max().unwrap_or(1);
        let features = spec.features();
        let mut numbers = vec![0.0_f32; memory::numbers(&place, [files.len(), steps, features])?];
        let samples = numbers.par_chunks_exact_mut(steps * features).zip(files);
        samples.try_for_each(|(sample, file)| {
            spec.fill(&open(file, spec)?, sample);
            Ok::<_, Error>(())
        })?;
        let names = files.iter().map(|file| file.display().to_string()).collect();
        let answers = Named::Unknown(files.len());
        let table = Table::new(place, [1, steps, features], Inputs::Numbers(numbers), answers);
        if spec.steps.is_some() {
            return Ok(Table { names, ..table });
        }
        let spans = Some(Spans { lengths, ..Spans::none(steps) });
        Ok(Table { names, spans, beside: vec!["lengths".into()], ..table })
    }

    fn open(file: &Path, spec: &Events) -> Result<Vec<Event>> {
        let bytes = std::fs::read(file).map_err(|e| Error::io(file, e))?;
        records::read(&bytes, &file.display().to_string(), spec)
    }

    impl Events {
        /// Steps of a recording.
        fn own_steps(&self, events: &[Event]) -> Result<usize> {
            let (Some(bin), None) = (self.bin, self.steps) else { return Ok(self.steps.unwrap_or(1)) };
            let steps = events.last().map_or(0, |last| last.t / bin) + 1;
            if steps > MOST_STEPS {
                return Err(Error::data(format!("{steps} steps of {bin} µs are more than {MOST_STEPS}"))
                    .with_hint("make task.files.events.bin longer, or say how many `steps` are enough"));
            }
            Ok(steps as usize)
        }

        /// Counts events into the steps of `sample`, which is zero.
        fn fill(&self, events: &[Event], sample: &mut [f32]) {
            let (features, [height, width]) = (self.features(), self.size);
            let steps = (sample.len() / features) as u128;
            let all = u128::from(events.last().map_or(0, |last| last.t)) + 1;
            for event in events {
                let t = u128::from(event.t);
                let step = self.bin.map_or_else(|| t * steps / all, |bin| t / u128::from(bin));
                if step < steps {
                    let channel = if self.merged { 0 } else { event.p };
                    let at = (channel * height + event.y) * width + event.x;
                    let number = &mut sample[step as usize * features + at];
                    *number = if self.binary { 1.0 } else { *number + 1.0 };
                }
            }
        }
    }
}
