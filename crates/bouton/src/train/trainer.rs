//! A recipe brought to life: network, credit rule, updater and data, one update at a time.

use super::checkpoint::{Checkpoint, Tensor, TensorData};
use crate::credit::{Credit, Step};
use crate::error::{Error, Result};
use crate::network::{Network, Visitor};
use crate::objective::Objective;
use crate::optim::Updater;
use crate::recipe::Recipe;
use crate::rng::Key;
use crate::task::Dataset;
use crate::task::stream::{self, Stream, evaluation};
use bouton_kernels::{DType, Mat};
use std::path::Path;

/// Everything a run changes, and what it needs to change it.
#[derive(Debug)]
pub struct Trainer {
    /// What is trained.
    pub recipe: Recipe,
    /// The network.
    pub network: Network,
    /// Training batches.
    pub stream: Stream,
    /// Test set.
    pub test: Dataset,
    credit: Box<dyn Credit>,
    objective: Box<dyn Objective>,
    updater: Updater,
    update: u64,
}

impl Trainer {
    /// Builds everything that `recipe` names; data sets are looked for in `folder` (default: the user's data folder).
    pub fn new(recipe: &Recipe, folder: Option<&Path>) -> Result<Self> {
        recipe.check()?;
        let network = Network::build(recipe)?;
        let (stream, test) = stream::open(&recipe.task, recipe.seed, folder)?;
        fits(&network, stream.data())?;
        let credit = recipe.credit.build(&recipe.solver, &network, stream.data().len())?;
        let updater = Updater::new(&network, recipe.optim.build());
        Ok(Self {
            recipe: recipe.clone(),
            objective: recipe.objective.build(),
            network,
            stream,
            test,
            credit,
            updater,
            update: 0,
        })
    }

    /// Updates of the whole run.
    pub fn updates(&self) -> u64 {
        let all = self.stream.batches() * self.stream.epochs() as u64;
        self.recipe.run.updates.map_or(all, |limit| limit.min(all))
    }

    /// Updates made so far.
    pub fn update(&self) -> u64 {
        self.update
    }

    /// Epochs completed so far.
    pub fn epoch(&self) -> u64 {
        self.update / self.stream.batches()
    }

    /// Whether the last update ended an epoch.
    pub fn at_epoch_end(&self) -> bool {
        self.update > 0 && self.update.is_multiple_of(self.stream.batches())
    }

    /// Learns from the next batch.
    pub fn learn(&mut self) -> Result<Step> {
        let batch = self.stream.batch(self.update, self.network.dtype);
        self.updater.set_factor(self.recipe.schedule.factor(self.epoch() as usize));
        let key = Key::new(self.recipe.seed).of("update", self.update);
        let step = self
            .credit
            .learn(&mut self.network, &batch, &*self.objective, &mut self.updater, &key)
            .map_err(|e| e.context(format!("update {}", self.update + 1)))?;
        if !step.loss.is_finite() {
            return Err(Error::Diverged {
                message: format!("update {}: the loss is {}", self.update + 1, step.loss),
                hint: Some("lower the learning rate, or the gain of the initial weights".into()),
            });
        }
        self.update += 1;
        Ok(step)
    }

    /// The outcome on the test set.
    pub fn evaluate(&self) -> Result<Step> {
        evaluation(&self.test, self.network.dtype).try_fold(Step::default(), |sum, batch| {
            Ok(sum.with(&self.credit.evaluate(&self.network, &batch, &*self.objective)?))
        })
    }

    /// Shows every persistent matrix to `visitor`.
    fn visit(&mut self, visitor: &mut Visitor<'_>) -> Result<()> {
        self.network.visit(visitor)?;
        self.updater.visit(visitor)?;
        self.credit.visit(visitor)
    }

    /// Everything needed to go on later.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        let mut checkpoint = Checkpoint::default();
        self.visit(&mut |name, mat| {
            checkpoint.tensors.push(tensor(name, mat));
            Ok(())
        })?;
        let meta = [
            ("step", self.update.to_string()),
            ("optimiser-step", self.updater.updates().to_string()),
            ("recipe", self.recipe.hash()),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ];
        checkpoint.meta.extend(meta.map(|(k, v)| (k.to_owned(), v)));
        Ok(checkpoint)
    }

    /// Takes the weights and biases of a checkpoint, whatever their number type, and ignores everything else in it.
    pub fn restore_network(network: &mut Network, checkpoint: &Checkpoint) -> Result<()> {
        network.visit(&mut |name, mat| {
            let tensor = checkpoint.tensor(name)?;
            if tensor.shape != [mat.rows(), mat.cols()] {
                return Err(Error::checkpoint(format!(
                    "tensor `{name}` has shape {:?}, the network needs [{}, {}]",
                    tensor.shape,
                    mat.rows(),
                    mat.cols()
                ))
                .with_hint("use the recipe that the checkpoint was trained with"));
            }
            let values = match &tensor.data {
                TensorData::F32(values) => values.iter().map(|&x| f64::from(x)).collect(),
                TensorData::F64(values) => values.clone(),
                _ => return Err(Error::checkpoint(format!("tensor `{name}` does not hold real numbers"))),
            };
            *mat = Mat::from_f64s(mat.dtype(), mat.rows(), mat.cols(), &values);
            Ok(())
        })
    }

    /// Goes on from a checkpoint of the same recipe.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let mut wanted: Vec<(String, Vec<usize>)> = Vec::new();
        self.visit(&mut |name, mat| {
            wanted.push((name.to_owned(), vec![mat.rows(), mat.cols()]));
            Ok(())
        })?;
        checkpoint.expect(wanted.iter().map(|(n, s)| (n.as_str(), s.as_slice())))?;
        self.visit(&mut |name, mat| fill(mat, checkpoint.tensor(name)?))?;
        self.update = checkpoint.meta("step")?;
        self.updater.set_updates(checkpoint.meta("optimiser-step")?);
        Ok(())
    }
}

fn fits(network: &Network, data: &Dataset) -> Result<()> {
    let (input, output) =
        (network.populations[network.input()].units, network.populations[network.output()].units);
    if input != data.features() || output != data.classes() {
        let [c, h, w] = data.shape();
        return Err(Error::shape(format!(
            "network.layers leads from {input} to {output} units, but {} has {c}×{h}×{w} = {} pixels and {} classes",
            data.name(),
            data.features(),
            data.classes()
        ))
        .with_hint(format!("begin the layer list with {} and end it with {}", data.features(), data.classes())));
    }
    Ok(())
}

fn tensor(name: &str, mat: &Mat) -> Tensor {
    let data = match mat.dtype() {
        DType::F32 => TensorData::F32(mat.slice::<f32>().to_vec()),
        DType::F64 => TensorData::F64(mat.slice::<f64>().to_vec()),
    };
    Tensor { name: name.to_owned(), shape: vec![mat.rows(), mat.cols()], data }
}

fn fill(mat: &mut Mat, tensor: &Tensor) -> Result<()> {
    match (&tensor.data, mat.dtype()) {
        (TensorData::F32(values), DType::F32) => mat.slice_mut::<f32>().copy_from_slice(values),
        (TensorData::F64(values), DType::F64) => mat.slice_mut::<f64>().copy_from_slice(values),
        _ => {
            return Err(Error::checkpoint(format!(
                "tensor `{}` has another number type than the network",
                tensor.name
            ))
            .with_hint("use the recipe that the checkpoint was trained with"));
        }
    }
    Ok(())
}
