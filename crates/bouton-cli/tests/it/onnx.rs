//! ONNX files: what stands in them, and what is refused. That they answer as the network does is for `python/tests/test_onnx.py`.

use super::train::{bouton, succeeds};
use std::collections::BTreeSet;
use std::path::Path;

const RECIPE: &str = "[task.fashion-mini]\nbatch = 50\nepochs = 1\ntrain = 100\ntest = 50\nnormalise = { mean = [0.3], std = [0.4] }\n\
    [network]\nlayers = [{ image = [1, 28, 28] }, { filters = 2, kernel = 5, stride = 2, pool = { max = 2 } }, 10]\n[wiring.conv]\n\
    [neuron.sign]\n[norm.batch]\n[synapse.binary]\n[credit.backprop]\n[objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.1\n";

/// The fields of a message: number and content; whole numbers stand for themselves.
fn fields(mut bytes: &[u8]) -> Vec<(u64, u64, &[u8])> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let number = varint(&mut bytes);
        match key & 7 {
            0 => all.push((key >> 3, number, &[][..])),
            2 => {
                let (inner, rest) = bytes.split_at(number as usize);
                bytes = rest;
                all.push((key >> 3, 0, inner));
            }
            kind => panic!("field {} of kind {kind}", key >> 3),
        }
    }
    all
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let last = bytes.iter().position(|b| b & 0x80 == 0).unwrap();
    let (number, rest) = bytes.split_at(last + 1);
    *bytes = rest;
    number.iter().rev().fold(0, |x, b| x << 7 | u64::from(b & 0x7f))
}

/// The texts of one field of every message of another.
fn texts(bytes: &[u8], of: u64, field: u64) -> Vec<String> {
    let inner = fields(bytes).into_iter().filter(|f| f.0 == of).flat_map(|f| fields(f.2));
    inner.filter(|f| f.0 == field).map(|f| String::from_utf8(f.2.to_vec()).unwrap()).collect()
}

fn converted(at: &Path, recipe: &str, more: &[&str]) -> Vec<u8> {
    std::fs::write(at.join("r.toml"), recipe).unwrap();
    succeeds(at, &["run", "r.toml"]);
    let (out, _) = succeeds(at, &[&["convert", "last", "--onnx", "-o", "m.onnx"], more].concat());
    assert!(out.contains("m.onnx"), "{out}");
    std::fs::read(at.join("m.onnx")).unwrap()
}

#[test]
fn a_file_holds_the_whole_way_from_pixels_to_probabilities() {
    let folder = tempfile::tempdir().unwrap();
    let file = converted(folder.path(), RECIPE, &[]);
    let top = fields(&file);
    let whole = |field: u64| top.iter().find(|f| f.0 == field).unwrap();
    assert_eq!(whole(1).1, 8, "the version of files that belongs to opset 17");
    assert_eq!(fields(whole(8).2).iter().find(|f| f.0 == 2).unwrap().1, 17);
    let graph = whole(7).2;
    let kinds = texts(graph, 1, 4);
    let main = [
        "Sub",
        "Div",
        "Cast",
        "Conv",
        "MaxPool",
        "Sub",
        "Mul",
        "Mul",
        "Add",
        "GreaterOrEqual",
        "Where",
        "Transpose",
    ];
    let (first, last) = (&kinds[..main.len()], &kinds[kinds.len() - 3..]);
    assert_eq!(
        (first, last),
        (&main.map(String::from)[..], &["Slice", "Softmax", "Concat"].map(String::from)[..])
    );
    assert_eq!(texts(graph, 11, 1), ["input"]);
    assert_eq!(texts(graph, 12, 1), ["logits", "probabilities"]);

    // Everything that is read was written before: by an operator, as a constant, or by the caller.
    let mut known: BTreeSet<String> = texts(graph, 5, 8).into_iter().chain(texts(graph, 11, 1)).collect();
    for (_, _, node) in fields(graph).into_iter().filter(|f| f.0 == 1) {
        for (field, _, name) in fields(node) {
            let name = String::from_utf8_lossy(name).into_owned();
            match field {
                1 => assert!(known.contains(&name), "{name}"),
                2 => assert!(known.insert(name.clone()), "{name} is written twice"),
                _ => {}
            }
        }
    }
    let said: Vec<_> = texts(&file, 14, 1).into_iter().zip(texts(&file, 14, 2)).collect();
    let of = |key: &str| &said.iter().find(|(k, _)| k == key).unwrap().1;
    assert!(of("classes").starts_with("[\"T-shirt/top\",\"Trouser\"") && of("heads") == "[[0,10]]");
    assert_eq!((of("updates").as_str(), of("version").as_str()), ("2", env!("CARGO_PKG_VERSION")));
}

#[test]
fn what_has_no_form_in_onnx_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let dense = "[task.fashion-mini]\nbatch = 50\nepochs = 1\ntrain = 100\ntest = 50\n[network]\nlayers = [784, 8, 10]\n";
    let softmax =
        "[neuron.relu]\n[credit.backprop]\n[objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.1\n";
    let feed_forward = format!("{dense}{softmax}");
    for (recipe, words, message) in [
        (
            format!(
                "{dense}[neuron.settle]\n[credit.eq-prop]\nbeta = 0.1\nfree-steps = 4\nnudged-steps = 2\n[optim.sgd]\nlr = 0.1\n"
            ),
            &[][..],
            "the network settles",
        ),
        (
            format!("{feed_forward}[norm.batch]\nstatistics = \"batch\"\n"),
            &[],
            "norm.batch has no form in ONNX",
        ),
        (format!("{feed_forward}[synapse.mesu]\n[run]\ntest-draws = 2\n"), &[], "run.test-draws averages"),
        (
            format!("{feed_forward}[sequence.rotated]\ndegrees = [0, 30]\n"),
            &["--task", "2"],
            "task 2 changes samples",
        ),
        (format!("{feed_forward}[sequence.permuted]\ntasks = 2\n"), &[], "the network learned 2 tasks"),
        (feed_forward.clone(), &["--task", "2"], "there is no task 2"),
        (feed_forward.clone(), &["--packed"], "cannot be used with"),
    ] {
        std::fs::write(at.join("r.toml"), &recipe).unwrap();
        succeeds(at, &["run", "r.toml"]);
        let output = bouton(at, &[&["convert", "last", "--onnx"], words].concat()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(message), "{message}: {said}");
    }
    let found = std::fs::read_dir(at.join("runs")).unwrap().map(|run| run.unwrap().path().join("model.onnx"));
    assert!(found.into_iter().all(|file| !file.exists()), "nothing is written where something is refused");
}
