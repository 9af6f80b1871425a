//! Which steps of a sample are its own, and how much each of them counts. Samples of different length stand in rows of one length, the
//! shorter ones padded; with ℓ the loss of a row that is judged,
//!
//!   L = Σ_{s,t} w_s m_{s,t} ℓ_{s,t} / Σ_{s,t} w_s m_{s,t},   m_{s,t} = 0 beyond the length of s
//!
//! where every step is judged, and the same without t where a sample is judged once. What steps should come to is the answer of their
//! sample, or a class of their own.

use bouton_kernels::{Mat, dispatch};

/// What is said of the steps of some samples, beside what they show.
#[derive(Clone, Debug, PartialEq)]
pub struct Spans {
    /// Steps of the row of each sample, padding included.
    pub steps: usize,
    /// The first so many steps of each sample are its own: 1 to `steps`.
    pub lengths: Vec<usize>,
    /// How much each step is judged, m ≥ 0, [samples, steps]. Default: every own step alike.
    pub mask: Option<Vec<f64>>,
    /// How much each sample counts, w ≥ 0. Default: all alike.
    pub weights: Option<Vec<f64>>,
    /// The class of each step, [samples, steps]. Default: that of its sample.
    pub classes: Option<Vec<u16>>,
}

impl Spans {
    /// Of no samples yet, of so many steps.
    pub fn none(steps: usize) -> Self {
        Self { steps, lengths: Vec::new(), mask: None, weights: None, classes: None }
    }

    /// Of so many samples, all of whose steps are their own and count alike.
    pub fn whole(steps: usize, samples: usize) -> Self {
        Self { lengths: vec![steps; samples], ..Self::none(steps) }
    }

    /// The samples at `ids`, in this order.
    #[must_use]
    pub fn take(&self, ids: &[usize]) -> Self {
        let mut taken = Self::none(self.steps);
        ids.iter().for_each(|&id| taken.push(self, id));
        taken
    }

    /// Takes sample `id` of another one behind its own.
    pub fn push(&mut self, other: &Self, id: usize) {
        let (n, steps) = (self.lengths.len(), self.steps);
        self.lengths.push(other.lengths[id]);
        if self.mask.is_some() || other.mask.is_some() {
            let more = other.mask.as_ref().map(|mask| &mask[id * steps..(id + 1) * steps]);
            let mask = self.mask.get_or_insert_with(|| vec![1.0; n * steps]);
            mask.extend(more.unwrap_or(&vec![1.0; steps]));
        }
        if self.weights.is_some() || other.weights.is_some() {
            let weight = other.weights.as_ref().map_or(1.0, |weights| weights[id]);
            self.weights.get_or_insert_with(|| vec![1.0; n]).push(weight);
        }
        // Samples of one batch are of one task: either all of them have classes by step, or none.
        if let Some(more) = &other.classes {
            let classes = self.classes.get_or_insert_with(|| vec![0; n * steps]);
            classes.extend(&more[id * steps..(id + 1) * steps]);
        }
    }

    /// The class of each row, all samples of a step together, where steps have classes of their own.
    pub fn step_by_step(&self) -> Option<Vec<u16>> {
        let (classes, samples) = (self.classes.as_ref()?, self.lengths.len());
        Some(
            (0..self.steps * samples)
                .map(|row| classes[row % samples * self.steps + row / samples])
                .collect(),
        )
    }

    /// Bytes of what is said.
    pub fn bytes(&self) -> usize {
        let numbers = |list: &Option<Vec<f64>>| list.as_ref().map_or(0, |list| 8 * list.len());
        let classes = self.classes.as_ref().map_or(0, |list| 2 * list.len());
        8 * self.lengths.len() + numbers(&self.mask) + numbers(&self.weights) + classes
    }

    /// The same, of which the last so many steps of each sample's own are judged, and no others.
    #[must_use]
    pub fn of_last(self, last: usize) -> Self {
        let judged = |i: usize| {
            let (sample, t) = (i / self.steps, i % self.steps);
            let counts = t + last >= self.lengths[sample];
            if counts { self.mask.as_ref().map_or(1.0, |mask| mask[i]) } else { 0.0 }
        };
        let mask = (0..self.steps * self.lengths.len()).map(judged).collect();
        Self { mask: Some(mask), ..self }
    }

    /// How much step `t` of a sample counts.
    pub fn at(&self, sample: usize, t: usize) -> f64 {
        if t >= self.lengths[sample] {
            return 0.0;
        }
        self.of(sample) * self.mask.as_ref().map_or(1.0, |mask| mask[sample * self.steps + t])
    }

    /// How much a sample counts.
    pub fn of(&self, sample: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[sample])
    }

    /// Rows to be judged of all steps, all samples of a step together, or of one row a sample; and how much each counts.
    pub fn judged(&self, every_step: bool) -> (Vec<usize>, Vec<f64>) {
        let samples = self.lengths.len();
        let weight = |row: usize| match every_step {
            true => self.at(row % samples, row / samples),
            false => self.of(row),
        };
        let rows = if every_step { self.steps * samples } else { samples };
        (0..rows).map(|row| (row, weight(row))).filter(|(_, weight)| *weight > 0.0).unzip()
    }

    /// Makes zero what stands beyond the ends of the samples in the rows of step `first` and later ones.
    pub fn clear_beyond(&self, first: usize, rows: &mut Mat) {
        let (samples, width) = (self.lengths.len(), rows.cols());
        dispatch!(rows.dtype(), T => {
            for (row, to) in rows.slice_mut::<T>().chunks_exact_mut(width.max(1)).enumerate() {
                if first + row / samples >= self.lengths[row % samples] {
                    to.fill(<T as bouton_kernels::Elem>::from_f64(0.0));
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::DType;

    fn spans() -> Spans {
        let mask = Some(vec![1.0, 0.0, 2.0, 0.5, 1.0, 9.0]);
        Spans { steps: 3, lengths: vec![3, 2], mask, weights: Some(vec![1.0, 4.0]), classes: None }
    }

    #[test]
    fn rows_count_by_sample_and_step_and_not_beyond_the_end() {
        let (rows, weights) = spans().judged(true);
        assert_eq!((rows, weights), (vec![0, 1, 3, 4], vec![1.0, 2.0, 4.0, 2.0]));
        assert_eq!(spans().judged(false), (vec![0, 1], vec![1.0, 4.0]));
        let mut rows = Mat::from_f64s(DType::F32, 4, 1, &[5.0, 6.0, 7.0, 8.0]);
        spans().clear_beyond(1, &mut rows);
        assert_eq!(rows.to_f64s(), [5.0, 6.0, 7.0, 0.0]);
    }

    #[test]
    fn the_last_steps_are_those_before_the_end_of_each_sample() {
        let judged = |spans: Spans| spans.judged(true).0;
        assert_eq!(judged(Spans::whole(3, 2).of_last(2)), [2, 3, 4, 5]);
        // The second sample ends one step earlier and counts four times; step 2 of the first counts twice.
        assert_eq!(spans().of_last(1).judged(true), (vec![3, 4], vec![4.0, 2.0]));
    }

    #[test]
    fn classes_of_steps_stand_step_by_step_and_stay_with_their_sample() {
        let spans = Spans { classes: Some(vec![0, 1, 2, 3, 4, 5]), ..spans() };
        assert_eq!(spans.step_by_step().unwrap(), [0, 3, 1, 4, 2, 5]);
        let turned = spans.take(&[1, 0]);
        assert_eq!(turned.step_by_step().unwrap(), [3, 0, 4, 1, 5, 2]);
        assert_eq!(turned.of_last(1).classes, Some(vec![3, 4, 5, 0, 1, 2]));
        assert_eq!(Spans::whole(3, 2).step_by_step(), None);
    }

    #[test]
    fn what_is_said_stays_with_its_sample() {
        assert_eq!(spans().take(&[0, 1]), spans());
        let last = spans().take(&[1]);
        assert_eq!((&last.lengths[..], last.mask.as_deref()), (&[2][..], Some(&[0.5, 1.0, 9.0][..])));
        let mut mixed = Spans { lengths: vec![1], ..Spans::none(3) };
        mixed.push(&spans(), 1);
        mixed.push(&Spans { lengths: vec![3], ..Spans::none(3) }, 0);
        assert_eq!(mixed.lengths, [1, 2, 3]);
        assert_eq!(mixed.mask, Some(vec![1.0, 1.0, 1.0, 0.5, 1.0, 9.0, 1.0, 1.0, 1.0]));
        assert_eq!(mixed.weights, Some(vec![1.0, 4.0, 1.0]));
    }
}
