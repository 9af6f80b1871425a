//! Devices from the command line: shown, drawn, fitted, and what their imperfections cost.

use super::guides::{blocks, carry_out};
use super::train::{bouton, succeeds};
use bouton::device::Population;
use bouton::train::RunDir;
use serde_json::Value;
use std::path::Path;

/// What was said of a command line that is refused.
#[track_caller]
fn refused(at: &Path, words: &[&str]) -> String {
    let output = bouton(at, words).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
    said
}

#[test]
fn every_device_is_listed_shown_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (listed, _) = succeeds(at, &["device", "list", "--json"]);
    let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
    assert!(
        listed.len() >= 8 && listed.iter().all(|d| d["source"].as_str().unwrap().len() > 20),
        "{listed:?}"
    );
    for device in &listed {
        let name = device["name"].as_str().unwrap();
        let (shown, _) = succeeds(at, &["device", "show", name]);
        assert!(shown.contains(device["law"].as_str().unwrap()) && shown.contains("source: "), "{shown}");
    }
    let (shown, _) = succeeds(at, &["device", "show", "majumdar2021"]);
    assert!(shown.contains("fresh-resistance") && shown.contains("ohm"), "{shown}");
    for (device, file, begins) in [("ecram", "a.svg", &b"<svg"[..]), ("majumdar2021", "b.png", b"\x89PNG")] {
        succeeds(at, &["device", "plot", device, "-o", file, "--pulses", "50", "--devices", "30"]);
        assert!(std::fs::read(at.join(file)).unwrap().starts_with(begins));
    }
    let said = refused(at, &["device", "plot", "ecram", "-o", "a.bmp"]);
    assert!(said.contains("no figure of the kind `bmp`") && said.contains(".svg"), "{said}");
    let said = refused(at, &["device", "show", "ecran"]);
    assert!(said.contains("ecran: No such file") && said.contains("built in: majumdar2021"), "{said}");
    let said = refused(at, &["device", "plot", "ecram", "-o", "none/a.svg"]);
    assert!(said.contains("none/a.svg"), "{said}");
}

#[test]
fn simulated_pulses_are_fitted_and_the_file_is_a_device() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let device = "name = \"x\"\ncitation = \"x\"\nstep = 0.04\nupper = 1\nlower = -1\nup-down = 0\nstep-spread = 0.2\n\
        upper-spread = 0.1\nlower-spread = 0.1\nup-down-spread = 0.02\nstep-noise = 0.2\nwrite-noise = 0.2\n";
    std::fs::write(at.join("x.toml"), device).unwrap();
    succeeds(at, &["device", "plot", "x.toml", "-o", "p.csv", "--devices", "8", "--pulses", "50"]);
    let words = ["device", "fit", "p.csv", "--law", "soft-bounds", "--window", "40,60", "-o", "mine.toml"];
    let (table, _) = succeeds(at, &[&words[..], &["--report", "fit.html"]].concat());
    assert!(table.contains("step up at weight 0") || table.contains("up "), "{table}");
    assert!(table.contains("what the law cannot say"), "{table}");
    let text = std::fs::read_to_string(at.join("mine.toml")).unwrap();
    assert!(
        text.contains("# weight -1 is 4.0000e-5 S") && text.contains("fitted to p.csv: 8 devices, 16 cycles"),
        "{text}"
    );
    let Population::SoftBounds(found) = Population::from_toml(&text).unwrap() else { panic!("{text}") };
    assert!((found.step / 0.04 - 1.0).abs() < 0.25 && (found.upper - 1.0).abs() < 0.15, "{found:?}");
    let page = std::fs::read_to_string(at.join("fit.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("What the law cannot say") && page.contains("step-noise"));
    let (json, _) = succeeds(at, &[&words[..], &["--json"]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["devices"].as_array().unwrap().len(), 8);
    assert_eq!(json["parameters"][2]["name"], "upper");
    let said = refused(at, &[&words[..8], &["none/mine.toml"]].concat());
    assert!(said.contains("none/mine.toml"), "{said}");
}

#[test]
fn what_cannot_be_fitted_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let heading = "device,cycle,pulse,direction,conductance (uS)\n";
    let fit = |text: &str, words: &[&str]| {
        std::fs::write(at.join("p.csv"), text).unwrap();
        refused(at, &[&["device", "fit", "p.csv"], words].concat())
    };
    let soft = ["--law", "soft-bounds"];
    for (text, says, hint) in [
        (&format!("{heading}a,1,1,,20\n")[..], "p.csv: line 2, column `direction`", "set or reset"),
        ("device,cycle,pulse,conductance (uS)\na,1,1,2\n", "no column `direction`", "there are"),
        (
            "device,cycle,pulse,directon,conductance (uS)\na,1,1,set,2\n",
            "no column `direction`",
            "`directon`",
        ),
        ("", "holds no pulses", "device, cycle"),
        (heading, "holds no pulses", "device, cycle"),
        (&format!("{heading}a,1,1,set,-2\n"), "line 2", "above 0"),
        (&format!("{heading}a,1,1,set,0\n"), "line 2", "above 0"),
        (&format!("{heading}a,1,1,set,NaN\n"), "line 2", "above 0"),
        (&format!("{heading}a,1,1,set,2\n"), "one pulse of each cycle", "many"),
        (&format!("{heading}a,1,1,set,2\na,1,2,set,3\n"), "both directions", "dozens"),
    ] {
        let said = fit(text, &soft);
        assert!(said.contains(says) && said.contains("\nhint: ") && said.contains(hint), "{text}: {said}");
    }
    let rows = format!("{heading}a,1,1,set,2\na,1,2,set,3\n");
    let said = fit(&rows, &["--law", "soft-bounds", "--unit", "volt"]);
    assert!(said.contains("no unit of a conductance: `volt`") && said.contains("kohm"), "{said}");
    let said = fit(&rows, &["--law", "hard-bounds"]);
    assert!(said.contains("hard-bounds") && said.contains("weak-reset"), "{said}");
    let said = fit(&rows, &["--law", "soft-bounds", "--window", "3,3"]);
    assert!(said.contains("--window") && said.contains("hint: "), "{said}");
    let said = refused(at, &["device", "fit", "none.csv", "--law", "soft-bounds"]);
    assert!(said.contains("none.csv"), "{said}");
}

const RECIPE: &str = "\
[task.digits]
batch = 20
epochs = 1
train = 100
test = 50
[network]
layers = [64, 10]
[neuron.relu]
[synapse.pair]
scale = 0.2
[objective.softmax-cross-entropy]
[credit.backprop]
[optim.adam]
lr = 2
unit-lr = 0.01
";

#[test]
fn an_ablation_is_a_table_of_ordinary_runs() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("small.toml"), RECIPE).unwrap();
    let words = ["ablate", "small.toml", "--seeds", "2"];
    let (lines, _) = succeeds(at, &[&words[..], &["--dry-run"]].concat());
    assert_eq!(lines.lines().count(), 8, "{lines}");
    assert!(lines.contains("synapse.pair.d2d=true synapse.pair.noise=false seed=1"), "{lines}");
    let (json, said) = succeeds(at, &[&words[..], &["--json", "-o", "costs.png", "--jobs", "2"]].concat());
    let table: Value = serde_json::from_str(&json).unwrap();
    let rows = table["runs"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["none", "only d2d", "only noise", "all"], "{said}");
    assert!(rows[0]["against"].is_null() && rows[3]["against"] == "none" && rows[3]["n"] == 2, "{json}");
    for row in &rows[1..] {
        let change = row["mean"].as_f64().unwrap() - rows[0]["mean"].as_f64().unwrap();
        assert!((change - row["difference"].as_f64().unwrap()).abs() < 1e-9, "{json}");
    }
    assert!(std::fs::read(at.join("costs.png")).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(RunDir::list(&at.join("runs")).unwrap().runs.len(), 8);
    // What is finished is used again, and so is a run that somebody made by hand.
    let (csv, said) = succeeds(at, &[&words[..], &["--csv"]].concat());
    assert!(
        said.contains("8 runs: 8 done, 0 left") && csv.starts_with("imperfections,accuracy,sd,n,"),
        "{said}{csv}"
    );
    let said = refused(at, &["ablate", "small.toml", "synapse=plain"]);
    assert!(said.contains("no imperfections") && said.contains("synapse=rram"), "{said}");
}

#[cfg(unix)]
const PAGE: &str = include_str!("../../../../docs/src/guides/own-device.md");

/// The guide's own commands, with few samples, one epoch and fewer pulses.
#[cfg(unix)]
#[test]
fn the_guide_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let short = blocks(PAGE, "toml")[0].replace("epochs = 20", "epochs = 1\ntrain = 32\ntest = 10");
    assert!(short.contains("train = 32"));
    std::fs::write(at.join("net.toml"), short).unwrap();
    carry_out(PAGE, at, |line| line.replace("--devices 20 --pulses 400", "--devices 6 --pulses 400"));
    for file in ["ecram.svg", "pulses.csv", "mine.toml", "fit.html", "mine.png", "costs.svg"] {
        assert!(at.join(file).is_file(), "{file}");
    }
}
