//! Checkpoints: the file itself, a run that goes on from it, a packed network in it.

use std::cell::RefCell;

use bouton::Result;
use bouton::packed::Packed;
use bouton::recipe::Recipe;
use bouton::train::{Checkpoint, Tensor, TensorData, Trainer};
use bouton_kernels::Mat;
use safetensors::tensor::{Dtype, TensorView};

use super::run::Reader;

pub fn readers() -> Vec<Reader> {
    let tokens = &[
        "__metadata__",
        "\"dtype\":\"F32\"",
        "\"F64\"",
        "\"U64\"",
        "\"BF16\"",
        "data_offsets",
        "shape",
        "bouton",
        "[",
        "{",
        "\\\"",
        "layers",
    ];
    let reader = |name, short, seeds, read| Reader { name, short, seeds, tokens, read };
    vec![
        reader("checkpoint", 3000, checkpoints as fn() -> _, checkpoint as fn(&[u8]) -> _),
        reader("resume", 1500, trained, resume),
        reader("packed", 1500, packed_files, packed),
    ]
}

fn tensor(name: &str, shape: &[usize], data: TensorData) -> Tensor {
    Tensor { name: name.into(), shape: shape.into(), data }
}

fn example() -> Checkpoint {
    let weights = TensorData::F32(vec![1.5, -0.0, 2.0, 4.0, f32::NAN, 6.0]);
    Checkpoint {
        tensors: vec![
            tensor("b.weight", &[2, 3], weights),
            tensor("a.bias", &[2], TensorData::F64(vec![0.1, -1e-300])),
            tensor("order", &[5], TensorData::U8(vec![0, 1, 2, 254, 255])),
            tensor("optim.step", &[], TensorData::U64(vec![u64::MAX])),
        ],
        meta: [("step".to_owned(), "120".to_owned())].into(),
    }
}

/// The file of another program, which has no checksum: what is damaged gets further.
fn foreign(checkpoint: &Checkpoint) -> Vec<u8> {
    let bytes = |data: &TensorData| -> (Dtype, Vec<u8>) {
        match data {
            TensorData::F32(x) => (Dtype::F32, x.iter().flat_map(|x| x.to_le_bytes()).collect()),
            TensorData::F64(x) => (Dtype::F64, x.iter().flat_map(|x| x.to_le_bytes()).collect()),
            TensorData::U8(x) => (Dtype::U8, x.clone()),
            TensorData::U64(x) => (Dtype::U64, x.iter().flat_map(|x| x.to_le_bytes()).collect()),
        }
    };
    let held: Vec<_> = checkpoint.tensors.iter().map(|t| (&t.name, &t.shape, bytes(&t.data))).collect();
    let views = held.iter().map(|(name, shape, (dtype, bytes))| {
        (name.as_str(), TensorView::new(*dtype, shape.to_vec(), bytes).unwrap())
    });
    let meta = checkpoint.meta.clone().into_iter().collect();
    safetensors::serialize(views, Some(meta)).unwrap()
}

fn checkpoints() -> Vec<Vec<u8>> {
    let mut bare = example();
    bare.meta.clear();
    vec![example().to_bytes().unwrap(), foreign(&example()), foreign(&bare)]
}

fn checkpoint(bytes: &[u8]) -> Result<()> {
    let read = Checkpoint::parse(bytes, "some.safetensors")?;
    let written = read.to_bytes().expect("what was read can be written");
    let again = Checkpoint::parse(&written, "written").expect("what was written can be read");
    assert_eq!(again.meta, read.meta);
    assert!(again.to_bytes().unwrap() == written);
    Ok(())
}

const RUN: &str = "[task.synthetic]\nshape = [1, 2, 2]\nclasses = 2\ntrain = 4\ntest = 4\nbatch = 2\nepochs = 3\n\
    [sequence.permuted]\ntasks = 2\n[network]\nlayers = [4, 3, 2]\n[neuron.sign]\n[synapse.binary]\n\
    [norm.batch]\nper-task = true\n[objective.softmax-cross-entropy]\n[credit.backprop]\n[optim.adam]\nlr = 0.1\n";

thread_local! {
    static TRAINER: RefCell<Trainer> = RefCell::new(trainer());
}

fn trainer() -> Trainer {
    let mut trainer = Trainer::new(&Recipe::parse(RUN, "test").unwrap(), None).unwrap();
    crate::common::learn(&mut trainer, 7);
    trainer
}

fn trained() -> Vec<Vec<u8>> {
    let checkpoint = trainer().checkpoint().unwrap();
    vec![foreign(&checkpoint), checkpoint.to_bytes().unwrap()]
}

fn resume(bytes: &[u8]) -> Result<()> {
    let file = Checkpoint::parse(bytes, "some.safetensors")?;
    TRAINER.with_borrow_mut(|trainer| {
        trainer.restore(&file)?;
        let kept = trainer.checkpoint().unwrap().to_bytes().unwrap();
        trainer.restore(&Checkpoint::parse(&kept, "written").unwrap()).expect("goes on again");
        assert!(trainer.checkpoint().unwrap().to_bytes().unwrap() == kept);
        Ok(())
    })
}

const PACKED: &str = "[task.synthetic]\nshape = [2, 6, 6]\nclasses = 3\ntrain = 6\ntest = 6\nbatch = 6\nepochs = 1\n\
    [network]\nlayers = [{ image = [2, 6, 6] }, { filters = 3, kernel = 3, padding = 1, pool = { max = 2 } }, { filters = 2, kernel = 2 }, 5, 3]\n\
    [neuron.sign]\n[synapse.binary]\n[norm.batch]\n[objective.softmax-cross-entropy]\n[credit.backprop]\n[optim.adam]\nlr = 0.1\n";

fn packed_files() -> Vec<Vec<u8>> {
    let recipe = Recipe::parse(PACKED, "test").unwrap();
    let (head, tail) = PACKED.split_once("[{ image").unwrap();
    let dense = format!("{head}[72, 5, 4, 3]{}", tail.split_once("5, 3]").unwrap().1);
    let dense = Recipe::parse(&dense, "test").unwrap();
    let pack = |recipe: &Recipe| Packed::new(recipe, &recipe.build().unwrap()).unwrap().to_checkpoint();
    vec![foreign(&pack(&recipe)), foreign(&pack(&dense)), pack(&recipe).to_bytes().unwrap()]
}

fn packed(bytes: &[u8]) -> Result<()> {
    let packed = Packed::from_checkpoint(&Checkpoint::parse(bytes, "some.safetensors")?)?;
    let written = packed.to_checkpoint();
    let again = Packed::from_checkpoint(&written).expect("what was written can be read");
    assert!(again.to_checkpoint().to_bytes().unwrap() == written.to_bytes().unwrap());
    // The answer of a network that fits into memory may still take minutes.
    if packed.input().units() > 1000 {
        return Ok(());
    }
    let x = Mat::zeros(packed.dtype(), 1, packed.input().units());
    assert_eq!(again.outputs(x.view()).rows(), 1);
    Ok(())
}
