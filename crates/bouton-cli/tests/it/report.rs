//! The report of a run with made-up numbers. The run stays in the `tmp` folder of the build, to be looked at and
//! to be read by `scripts/check-tensorboard.py`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bouton::train::{
    Checkpoint, Checkpoints, EventWriter, MetricsWriter, Provenance, Record, RunDir, State, Tensor,
    TensorData, metrics,
};
use bouton_cli::report::figures::{Bar, bars};
use bouton_cli::report::{Figure, Palette, Patch, build, curves, fields, render, weights, write};

/// A cheap reproducible number in −1..1.
fn noise(i: u64) -> f64 {
    let bits = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((bits ^ bits >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn record(step: u64, epoch: u64, split: &str, values: &[(&str, f64)]) -> Record {
    let values = values.iter().map(|&(name, v)| (name.to_string(), v)).collect();
    Record { step, epoch, wall: 0.05 * step as f64, split: split.into(), values }
}

fn log(run: &RunDir) -> Vec<Record> {
    let mut records = Vec::new();
    for step in 1..=3000 {
        let (epoch, t, n) = ((step - 1) / 200 + 1, step as f64 / 600.0, noise(step));
        let loss = 0.9 * (-t).exp() + 0.04 + 0.02 * n;
        let residuals =
            [("residual.free", 1e-5 * (n - t).exp()), ("residual.nudged", 1e-3 * (-t * 0.5 + n).exp())];
        let sweeps = [("sweeps.free", 120.0 - 10.0 * t + 8.0 * n), ("sweeps.nudged", 15.0 + 2.0 * n)];
        records.push(record(step, epoch, "train", &[&[("loss", loss)], &residuals[..], &sweeps].concat()));
        if step % 200 == 0 {
            let accuracy = 0.97 - 0.6 * (-t).exp();
            records.push(record(step, epoch, "test", &[("accuracy", accuracy), ("loss", loss + 0.01)]));
        }
    }
    // Killed after step 2200 in the middle of a write, and resumed from the checkpoint of step 2000.
    let upto = |step| records.partition_point(|record: &Record| record.step <= step);
    let events = append(run, None, &records[..upto(2200)]);
    for file in [run.metrics(), events] {
        let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
        file.set_len(file.metadata().unwrap().len() - 5).unwrap();
    }
    append(run, Some(2000), &records[upto(2000)..]);
    records
}

fn append(run: &RunDir, resume: Option<u64>, records: &[Record]) -> PathBuf {
    let mut metrics = MetricsWriter::open(&run.metrics(), resume).unwrap();
    let mut events = EventWriter::create(run.path(), resume).unwrap();
    for record in records {
        metrics.write(record).unwrap();
        events.record(record).unwrap();
    }
    events.path().into()
}

fn layer(units: usize) -> Tensor {
    let weight = |i: usize| {
        let (unit, x, y) = (i / 784, (i % 784 % 28) as f64, (i % 784 / 28) as f64);
        let (cx, cy) = (14.0 + 9.0 * noise(unit as u64), 14.0 + 9.0 * noise(unit as u64 + 999));
        let r = ((x - cx).powi(2) + (y - cy).powi(2)) / 20.0;
        ((1.0 - r) * (-r / 2.0).exp() * 0.4 + 0.05 * noise(i as u64)) as f32
    };
    let data = TensorData::F32((0..units * 784).map(weight).collect());
    Tensor { name: "hidden.weight".into(), shape: vec![units, 784], data }
}

fn made_up_run(root: &Path) -> (RunDir, Vec<Figure>) {
    let run = RunDir::create(root, "ep-fashion", 1, "3f9c0b1d2e3f4a5b6c7d").unwrap();
    let records = log(&run);
    let data = BTreeMap::from([("fashion-mini/train".to_string(), "sha256:5b0a".to_string())]);
    Provenance::gather(2, "avx2", &["bouton".into(), "run".into()], data).write(&run.provenance()).unwrap();
    std::fs::write(run.recipe(), "seed = 1\n[network]\nlayers = [784, 512, 10]\n").unwrap();
    let mut status = run.status().unwrap();
    (status.state, status.step, status.epoch) = (State::Done, 3000, 15);
    status.write(&run.status_file()).unwrap();

    let layer = layer(100);
    let moment = Tensor { name: "hidden.weight.momentum".into(), ..layer.clone() };
    let meta = BTreeMap::from([("step".to_string(), "3000".to_string())]);
    let checkpoint = Checkpoint { tensors: vec![moment, layer.clone()], meta };
    Checkpoints::new(run.checkpoints(), None).save(&checkpoint).unwrap();
    let mut figures = curves(&records, &mut Palette::default()).unwrap();
    figures.extend(weights(&checkpoint).unwrap());
    figures.push(fields(&layer, patch([1, 28, 28])).unwrap());
    let bar = |label: &str, value, error, series| Bar { label: label.into(), value, error, series };
    let rows = [bar("784-512-10, paper", 1.93, 0.07, 0), bar("784-512-10, here", 1.98, 0.05, 1)];
    let svg = bars("Test error (%)", &["paper", "here"], &rows).unwrap();
    figures.push(Figure {
        title: "Test error (%)".into(),
        caption: "Mean ± standard deviation.".into(),
        svg,
    });
    (run, figures)
}

fn patch(shape: [usize; 3]) -> Patch {
    Patch { shape, side_by_side: true }
}

#[test]
fn a_report_is_one_file_with_everything() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    let _ = std::fs::remove_dir_all(&root);
    let (run, figures) = made_up_run(&root);
    assert_eq!(metrics::read(&run.metrics()).unwrap().records.len(), 3015);
    let number = figures.len();
    let page = std::fs::read_to_string(write(&run, figures).unwrap()).unwrap();

    assert_eq!(page.matches("<svg ").count(), number);
    for text in
        ["ep-fashion", "0.966", "layers = [784, 512, 10]", "sha256:5b0a", "Receptive fields", ">done<"]
    {
        assert!(page.contains(text), "{text}");
    }
    assert_eq!(page.matches("<tr><td>").count(), 15, "a row for every epoch");
    // Nothing is loaded from anywhere: the only addresses are the name of the SVG language and embedded images.
    let outside = page.replace("http://www.w3.org/2000/svg", "").replace("href=\"data:image/png", "");
    for bad in ["http:", "https:", "href=", "src=", "<script", "@import", "url("] {
        assert!(!outside.contains(bad), "{bad}");
    }
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    let mut names: Vec<_> = std::fs::read_dir(run.figures())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "accuracy.svg",
            "loss.svg",
            "receptive-fields.svg",
            "residual-per-phase.svg",
            "sweeps-per-phase.svg",
            "test-error.svg",
            "weights-of-hidden.svg"
        ]
    );

    let built = |image: Option<_>| std::fs::read_to_string(build(&run, image.map(patch)).unwrap()).unwrap();
    assert_eq!(built(Some([1, 28, 28])).matches("<svg ").count(), number - 1, "all but the bars");
    // Neither seven channels nor another size are what enters the first layer.
    for image in [None, Some([7, 16, 7]), Some([1, 8, 8])] {
        assert_eq!(built(image).matches("<svg ").count(), number - 2, "{image:?}");
    }
    std::fs::write(run.checkpoints().join("last.safetensors"), "x").unwrap();
    std::fs::remove_file(run.checkpoints().join("003000.safetensors")).unwrap();
    assert!(matches!(build(&run, None), Err(bouton::Error::Checkpoint { .. })));
    std::fs::remove_file(run.checkpoints().join("last.safetensors")).unwrap();
}

#[test]
fn everything_that_a_user_can_name_is_escaped() {
    let root = tempfile::tempdir().unwrap();
    let evil = "<script>alert('x')</script>";
    let run = RunDir::create(root.path(), evil, 1, evil).unwrap();
    let mut status = run.status().unwrap();
    status.error = Some(evil.into());
    status.write(&run.status_file()).unwrap();
    std::fs::write(run.recipe(), evil).unwrap();
    std::fs::write(run.provenance(), serde_json::json!({ evil: { evil: evil } }).to_string()).unwrap();
    let records = [record(1, 1, evil, &[(evil, 1.0)])];
    let mut writer = MetricsWriter::open(&run.metrics(), None).unwrap();
    writer.write(&records[0]).unwrap();
    let mut figures = curves(&records, &mut Palette::default()).unwrap();
    figures[0].caption = evil.into();
    let page = render(&run, figures).unwrap();
    assert!(!page.contains("<script") && !page.contains("alert('x')"), "{page}");
    assert!(page.matches("&lt;script&gt;").count() >= 8);
}

#[test]
fn a_run_that_has_only_begun_or_was_torn_has_a_report() {
    let root = tempfile::tempdir().unwrap();
    let run = RunDir::create(root.path(), "young", 1, "ab").unwrap();
    assert!(render(&run, Vec::new()).unwrap().contains(">interrupted<"));
    std::fs::write(run.metrics(), "{\"step\":1,").unwrap();
    assert!(render(&run, Vec::new()).unwrap().contains("torn"));
    std::fs::write(run.metrics(), "garbage\n").unwrap();
    let error = render(&run, Vec::new()).unwrap_err();
    assert!(error.to_string().contains("metrics.jsonl:1"), "{error}");
}

#[test]
fn a_report_that_cannot_be_written_names_its_place() {
    let root = tempfile::tempdir().unwrap();
    let run = RunDir::create(root.path(), "blocked", 1, "ab").unwrap();
    std::fs::remove_dir(run.figures()).unwrap();
    std::fs::write(run.figures(), "a file").unwrap();
    let error = write(&run, Vec::new()).unwrap_err();
    assert!(matches!(&error, bouton::Error::Io { path, .. } if path.ends_with("figures")), "{error}");
}

/// What synapses keep is drawn for each connection; λ, means and spreads by their tensors, pairs by their log ratio.
#[test]
fn states_of_synapses_are_drawn() {
    let titles = |synapse: &str| -> Vec<String> {
        let text = format!(
            "[task.digits]\nbatch = 10\nepochs = 1\n[network]\nlayers = [64, 6, 10]\n[neuron.sign]\n[norm.batch]\n\
             [credit.backprop]\n[objective.softmax-cross-entropy]\n[synapse.{synapse}\n[optim.adam]\nlr = 0.01\n"
        );
        let recipe = bouton::recipe::Recipe::parse(&text, "states.toml").unwrap();
        let mut trainer = bouton::train::Trainer::new(&recipe, None).unwrap();
        trainer.learn().unwrap();
        let figures = weights(&trainer.checkpoint().unwrap()).unwrap();
        let first = |figure: Figure| figure.title.strip_suffix(" of input-hidden1").map(str::to_owned);
        figures.into_iter().filter_map(first).collect()
    };
    for (synapse, states) in [
        ("plain]", &[][..]),
        ("binary]", &["Hidden weights"]),
        ("metaplastic]\nm = 1.0", &["Hidden weights"]),
        ("binary-beakers]", &["Hidden weights"]),
        ("bayesbinn]", &["Natural parameters"]),
        ("bimu]", &["Natural parameters"]),
        ("mesu]", &["Means", "Standard deviations"]),
        ("rram]", &["Log ratios"]),
    ] {
        let expected: Vec<&str> = std::iter::once("Weights").chain(states.iter().copied()).collect();
        assert_eq!(titles(synapse), expected, "{synapse}");
    }
}
