//! A data set as a stream of batches whose position is a single number, the update.

use super::augment::Augment;
use super::order::permutation;
use super::spec::{BatchSize, Images, TaskSpec};
use super::{Dataset, Split, store};
use crate::credit::Batch;
use crate::error::{Error, Result};
use bouton_kernels::{DType, Elem, Mat, dispatch};
use std::path::Path;

/// Samples of one evaluation batch.
const EVALUATION: usize = 512;

/// Training batches of a task, epoch after epoch.
#[derive(Debug)]
pub struct Stream {
    data: Dataset,
    images: Images,
    batch: usize,
    seed: u64,
    order: Vec<usize>,
    epoch: Option<u64>,
}

/// The training stream and the test set of a task.
pub fn open(task: &TaskSpec, seed: u64, folder: Option<&Path>) -> Result<(Stream, Dataset)> {
    let (images, train, test) = match task {
        TaskSpec::Synthetic(s) => {
            let set = |n, seed| Dataset::synthetic(s.shape, s.classes, n, seed);
            (s.images(), set(s.train, 0)?, set(s.test, 1)?)
        }
        TaskSpec::FashionMini(i)
        | TaskSpec::Digits(i)
        | TaskSpec::Mnist(i)
        | TaskSpec::FashionMnist(i)
        | TaskSpec::Kmnist(i) => {
            let name = task.name();
            (i.clone(), store::load(name, Split::Train, folder)?, store::load(name, Split::Test, folder)?)
        }
    };
    let train = if let Some(n) = images.train { train.take(n)? } else { train };
    let test = if let Some(n) = images.test { test.take(n)? } else { test };
    if train.is_empty() || test.is_empty() {
        return Err(Error::config(format!("task.{} leaves no sample to train or test on", task.name())));
    }
    Ok((Stream::new(train, images, seed), test))
}

impl Stream {
    fn new(data: Dataset, images: Images, seed: u64) -> Self {
        let batch = match images.batch {
            BatchSize::Samples(n) => n.clamp(1, data.len()),
            BatchSize::All(_) => data.len(),
        };
        Self { data, images, batch, seed, order: Vec::new(), epoch: None }
    }

    /// The training set.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// Passes over the training set.
    pub fn epochs(&self) -> usize {
        self.images.epochs
    }

    /// Batches of one epoch; the last one may be smaller.
    pub fn batches(&self) -> u64 {
        self.data.len().div_ceil(self.batch) as u64
    }

    /// The batch of update `update`, counted from 0.
    pub fn batch(&mut self, update: u64, dtype: DType) -> Batch {
        let (epoch, at) = (update / self.batches(), (update % self.batches()) as usize * self.batch);
        if self.epoch != Some(epoch) {
            let n = self.data.len();
            self.order =
                if self.images.shuffle { permutation(n, self.seed, epoch) } else { (0..n).collect() };
            self.epoch = Some(epoch);
        }
        let ids = &self.order[at..self.data.len().min(at + self.batch)];
        gather(&self.data, ids, dtype, |id, image| self.vary(epoch, id, image))
    }

    fn vary(&self, epoch: u64, id: usize, image: &mut [u8]) {
        if self.images.shift == 0 && !self.images.flip {
            return;
        }
        let augment = Augment { shift: self.images.shift, flip: self.images.flip, padding: self.images.pad };
        let original = image.to_vec();
        augment.apply(&original, self.data.shape(), (self.seed, epoch, id as u64), image);
    }
}

/// A data set in file order, for evaluation.
pub fn evaluation(data: &Dataset, dtype: DType) -> impl Iterator<Item = Batch> + '_ {
    (0..data.len()).step_by(EVALUATION).map(move |at| {
        let ids: Vec<usize> = (at..data.len().min(at + EVALUATION)).collect();
        gather(data, &ids, dtype, |_, _| {})
    })
}

/// Some samples with pixels in units of the set's scale.
fn gather(data: &Dataset, ids: &[usize], dtype: DType, vary: impl Fn(usize, &mut [u8])) -> Batch {
    let mut x = Mat::zeros(dtype, ids.len(), data.features());
    let mut image = Vec::new();
    dispatch!(dtype, T => {
        let unit = T::from_f64(1.0 / f64::from(data.scale()));
        for (row, &id) in x.slice_mut::<T>().chunks_exact_mut(data.features()).zip(ids) {
            image.clear();
            image.extend_from_slice(data.image(id));
            vary(id, &mut image);
            for (x, &pixel) in row.iter_mut().zip(&image) {
                *x = T::from_f64(f64::from(pixel)) * unit;
            }
        }
    });
    Batch { x, labels: ids.iter().map(|&i| data.label(i) as u8).collect(), ids: ids.to_vec() }
}
