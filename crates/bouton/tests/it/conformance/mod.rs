//! Conformance: what every member of every axis has to keep, asked of all that stand in its list. A member that says something
//! of itself that is not so fails here.

mod anchors;
mod credits;
mod encoders;
mod examples;
mod neurons;
mod norms;
mod objectives;
mod optimisers;
mod sequences;
mod solvers;
mod synapses;
mod tasks;
mod wirings;

use bouton_kernels::{DType, Mat};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A matrix of unlike numbers between −1 and 1.
fn noise(rows: usize, cols: usize, seed: u64) -> Mat {
    let mut stream = bouton::rng::Key::new(seed).of("noise", 0).stream();
    Mat::from_fn(DType::F64, rows, cols, |_, _| 2.0 * stream.uniform() - 1.0)
}

/// Whether two lists are near each other, by the larger of their sizes.
#[track_caller]
fn near(a: &[f64], b: &[f64], tolerance: f64, what: &dyn std::fmt::Debug) {
    assert_eq!(a.len(), b.len(), "{what:?}");
    let size = a.iter().chain(b).fold(1e-6_f64, |top, x| top.max(x.abs()));
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        assert!((x - y).abs() <= tolerance * size, "{what:?}: number {i} is {x}, not {y}");
    }
}

/// The same member with one setting changed, for every number and every switch that it has, with the key of that. Numbers become
/// smaller and larger, for some have a say only beyond a size.
fn changed<T: Serialize + DeserializeOwned>(spec: &T) -> Vec<(String, T)> {
    let Value::Object(table) = serde_json::to_value(spec).unwrap() else { return Vec::new() };
    let (member, settings) = table.into_iter().next().unwrap();
    let others = |value: &Value| -> Vec<Value> {
        match (value.as_bool(), value.as_u64(), value.as_f64()) {
            (Some(on), ..) => vec![(!on).into()],
            (_, Some(n), _) => [1, n + 1, 2 * n].into_iter().filter(|m| *m != n).map(Value::from).collect(),
            (.., Some(0.0)) => vec![0.25.into()],
            (.., Some(x)) => [0.5, 1e-3, 1e3].map(|by| (by * x).into()).to_vec(),
            _ => Vec::new(),
        }
    };
    let with = |key: &String, value: Value| {
        let mut settings = settings.clone();
        settings[key] = value;
        let mut table = serde_json::Map::new();
        table.insert(member.clone(), settings);
        (format!("{member}.{key}"), serde_json::from_value(table.into()).unwrap())
    };
    let keys = settings.as_object().unwrap();
    keys.iter().flat_map(|(key, value)| others(value).into_iter().map(|other| with(key, other))).collect()
}
