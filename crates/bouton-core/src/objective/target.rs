//! What samples should come to: classes, values, or nothing.
//!
//! A class stands for its one-hot row, so that whatever compares outputs with a row of numbers takes both kinds.

use bouton_kernels::{Mat, Real, View, ViewMut, dispatch};
use std::ops::Range;

/// The kinds of target that tasks give and objectives take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// One class of several.
    Classes,
    /// One number per output.
    Values,
}

impl std::fmt::Display for TargetKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Classes => "classes",
            Self::Values => "values",
        })
    }
}

/// The targets of some samples, one row each.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// The class of each sample, from 0.
    Classes(Vec<u16>),
    /// [samples, outputs], of the number type of the network.
    Values(Mat),
    /// So many samples without a target: answers and states are asked for, no loss.
    None(usize),
}

impl From<Vec<u16>> for Target {
    fn from(labels: Vec<u16>) -> Self {
        Self::Classes(labels)
    }
}

impl Target {
    /// Number of samples.
    pub fn rows(&self) -> usize {
        match self {
            Self::Classes(labels) => labels.len(),
            Self::Values(values) => values.rows(),
            Self::None(rows) => *rows,
        }
    }

    /// Its kind; none if there is nothing to compare with.
    pub fn kind(&self) -> Option<TargetKind> {
        match self {
            Self::Classes(_) => Some(TargetKind::Classes),
            Self::Values(_) => Some(TargetKind::Values),
            Self::None(_) => None,
        }
    }

    /// The classes, if they are classes.
    pub fn classes(&self) -> Option<&[u16]> {
        match self {
            Self::Classes(labels) => Some(labels),
            _ => None,
        }
    }

    /// Some rows, to be compared with.
    pub fn view(&self, rows: Range<usize>) -> TargetView<'_> {
        match self {
            Self::Classes(labels) => TargetView::Classes(&labels[rows]),
            Self::Values(values) => TargetView::Values(values.rows_view(rows)),
            Self::None(_) => TargetView::None,
        }
    }

    /// Some rows that follow each other.
    #[must_use]
    pub fn part(&self, rows: Range<usize>) -> Self {
        match self {
            Self::Classes(labels) => Self::Classes(labels[rows].to_vec()),
            Self::Values(values) => Self::Values(values.rows_view(rows).to_mat()),
            Self::None(_) => Self::None(rows.len()),
        }
    }

    /// The rows `ids`, in this order.
    #[must_use]
    pub fn take(&self, ids: &[usize]) -> Self {
        match self {
            Self::Classes(labels) => Self::Classes(ids.iter().map(|&id| labels[id]).collect()),
            Self::Values(values) => Self::Values(values.take_rows(ids)),
            Self::None(_) => Self::None(ids.len()),
        }
    }

    /// `copies` of all rows below each other.
    #[must_use]
    pub fn repeat(&self, copies: usize) -> Self {
        let all: Vec<usize> = (0..copies).flat_map(|_| 0..self.rows()).collect();
        self.take(&all)
    }

    /// Exchanges two rows.
    pub fn swap(&mut self, i: usize, j: usize) {
        match self {
            Self::Classes(labels) => labels.swap(i, j),
            Self::Values(values) => values.swap_rows(i, j),
            Self::None(_) => {}
        }
    }

    /// Takes the rows of another target of the same kind behind its own.
    ///
    /// # Panics
    /// If it is of another kind: batches are made of one.
    pub fn append(&mut self, other: &Self) {
        match (self, other) {
            (Self::Classes(labels), Self::Classes(more)) => labels.extend(more),
            (Self::Values(values), Self::Values(more)) => values.append_rows(more.view()),
            (Self::None(rows), Self::None(more)) => *rows += more,
            _ => unreachable!("targets of two kinds in one batch"),
        }
    }
}

/// Rows of a [`Target`].
#[derive(Clone, Copy, Debug)]
pub enum TargetView<'a> {
    /// The class of each row.
    Classes(&'a [u16]),
    /// [rows, outputs].
    Values(View<'a>),
    /// Nothing to compare with.
    None,
}

impl<'a> TargetView<'a> {
    /// The class of row `r`; 0 for samples that have none.
    pub fn class(&self, r: usize) -> usize {
        match self {
            Self::Classes(labels) => usize::from(labels[r]),
            _ => 0,
        }
    }

    /// Row `r` alone.
    #[must_use]
    pub fn row(&self, r: usize) -> TargetView<'a> {
        match *self {
            Self::Classes(labels) => Self::Classes(&labels[r..=r]),
            Self::Values(values) => Self::Values(values.rows_range(r..r + 1)),
            Self::None => Self::None,
        }
    }

    /// Subtracts the target y of every row from the first rows of `out`; a class is a one-hot row.
    pub fn subtract_from(&self, mut out: ViewMut<'_>) {
        dispatch!(out.dtype(), T => match self {
            Self::Classes(labels) => for (r, &label) in labels.iter().enumerate() {
                out.row_mut::<T>(r)[usize::from(label)] -= T::constant(1.0);
            },
            Self::Values(values) => for r in 0..values.rows() {
                out.row_mut::<T>(r).iter_mut().zip(values.row::<T>(r)).for_each(|(o, &y)| *o -= y);
            },
            Self::None => {}
        });
    }

    /// Overwrites `y` with the target of every row; a class is a one-hot row.
    pub fn write_to(&self, mut y: ViewMut<'_>) {
        y.fill(0.0);
        match self {
            Self::Values(values) => y.copy_from(*values),
            Self::Classes(labels) => dispatch!(y.dtype(), T => for (r, &label) in labels.iter().enumerate() {
                y.row_mut::<T>(r)[usize::from(label)] = T::constant(1.0);
            }),
            Self::None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::DType;

    #[test]
    fn a_class_is_its_one_hot_row() {
        let values = Mat::from_f64s(DType::F64, 2, 3, &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        for target in [Target::Classes(vec![2, 0]), Target::Values(values.clone())] {
            let mut y = Mat::from_f64s(DType::F64, 2, 3, &[9.0; 6]);
            target.view(0..2).write_to(y.view_mut());
            assert_eq!(y, values);
            target.view(0..2).subtract_from(y.view_mut());
            assert_eq!(y.to_f64s(), [0.0; 6]);
        }
    }

    #[test]
    fn rows_stay_with_their_samples() {
        let values = Target::Values(Mat::from_f64s(DType::F32, 3, 1, &[0.0, 1.0, 2.0]));
        for mut target in [Target::Classes(vec![0, 1, 2]), values, Target::None(3)] {
            assert_eq!((target.take(&[0, 1]), target.part(1..2).rows()), (target.part(0..2), 1));
            let twice = target.repeat(2);
            assert_eq!((twice.rows(), twice.part(3..6)), (6, target.clone()));
            let before = target.clone();
            target.swap(0, 2);
            assert_eq!(target, before.take(&[2, 1, 0]));
            target.append(&before);
            assert_eq!(target.part(3..6), before);
        }
    }
}
