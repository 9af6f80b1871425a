//! A trained network put to use from the command line: predicted, evaluated, refused.

use super::train::{bouton, succeeds};
use bouton::task::npy::{Array, Values};

const RECIPE: &str = "[task.fashion-mini]\nbatch = 50\nepochs = 1\ntrain = 300\ntest = 100\n[network]\nlayers = [784, 10]\n[neuron.relu]\n\
    [credit.backprop]\n[objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.1\n";

#[test]
fn a_trained_network_answers() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("r.toml"), RECIPE).unwrap();
    let images = Array {
        shape: vec![3, 28, 28],
        values: Values::Bytes((0..3 * 784).map(|i| (i % 251) as u8).collect()),
    };
    std::fs::write(at.join("x.npy"), images.to_bytes()).unwrap();
    succeeds(at, &["run", "r.toml"]);

    let (text, said) = succeeds(at, &["predict", "last", "x.npy"]);
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0][..5], ["file", "sample", "class", "p.T-shirt/top", "p.Trouser"]);
    assert!(lines.len() == 4 && lines[3][..2] == ["x.npy", "3"], "{text}");
    for line in &lines[1..] {
        let p: Vec<f64> = line[3..].iter().map(|p| p.parse().unwrap()).collect();
        let most = (0..10).max_by(|&a, &b| p[a].total_cmp(&p[b])).unwrap();
        assert!(
            (p.iter().sum::<f64>() - 1.0).abs() < 1e-4 && lines[0][3 + most] == format!("p.{}", line[2]),
            "{line:?}"
        );
    }
    assert!(
        said.contains("last.safetensors after 6 updates")
            || said.contains("000006.safetensors after 6 updates"),
        "{said}"
    );
    succeeds(at, &["predict", "last", "x.npy", "-o", "a.csv"]);
    assert_eq!(std::fs::read_to_string(at.join("a.csv")).unwrap(), text);
    succeeds(at, &["predict", "last", "x.npy", "-o", "a.npz"]);
    assert!(std::fs::read(at.join("a.npz")).unwrap().starts_with(b"PK"));

    let (text, _) = succeeds(at, &["evaluate", "last", "--json", "-o", "matrix.csv"]);
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (run, _) = succeeds(at, &["runs", "show", "last", "--json"]);
    let run: serde_json::Value = serde_json::from_str(&run).unwrap();
    let accuracy = |value: &serde_json::Value| value["accuracy"].as_f64().unwrap();
    assert!((accuracy(&told[0]["metrics"]) - accuracy(&run["metrics"]["test"])).abs() < 1e-9);
    let nll = told[0]["calibration"]["nll"].as_f64().unwrap();
    assert!(
        (nll - run["metrics"]["test"]["loss"].as_f64().unwrap()).abs() < 1e-5,
        "the loss of softmax is −log p"
    );
    let counts = told[0]["confusion"]["counts"].as_array().unwrap();
    let all: u64 = counts.iter().flat_map(|row| row.as_array().unwrap()).map(|n| n.as_u64().unwrap()).sum();
    assert_eq!((counts.len(), all), (10, 100));
    assert!(std::fs::read_to_string(at.join("matrix.csv")).unwrap().starts_with(",T-shirt/top,Trouser,"));
    let (text, _) = succeeds(at, &["evaluate", "last", "--json", "--operations"]);
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    let [dense, macs, acs] = ["dense-operations", "effective-macs", "effective-acs"]
        .map(|name| told[0]["metrics"][name].as_f64().unwrap());
    // Pixels are no spikes, and many of them are black.
    assert!(dense == 7840.0 && macs > 0.0 && macs < dense && acs == 0.0, "{dense} {macs} {acs}");
    let (text, _) = succeeds(at, &["evaluate", "last"]);
    assert!(text.contains("Ankle boot") && text.contains("precision"), "{text}");

    for (words, code, message) in [
        (&["predict", "last", "x.npy", "-o", "a.txt"][..], 2, "neither a .csv nor an .npz"),
        (&["predict", "last", "nowhere.npy"], 3, "nowhere.npy"),
        (&["predict", "last", "--weights", "best", "x.npy"], 2, "no best checkpoint"),
        (&["predict", "nothing", "x.npy"], 2, "no run in runs fits"),
        (&["predict", "last", "--task", "2", "x.npy"], 2, "there is no task 2"),
        (&["predict", "last"], 2, "FILE"),
        (&["predict", "last", "x.npy", "-o", "nowhere/a.csv"], 2, "nowhere/a.csv"),
        (&["evaluate", "last", "x.npy"], 2, "holds inputs alone"),
        (&["evaluate", "last", "--labels", "x.npy"], 2, "FILE"),
    ] {
        let output = bouton(at, words).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(code) && said.contains(message),
            "{words:?}: {:?} {said}",
            output.status
        );
    }
}
