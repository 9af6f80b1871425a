//! Runs put to use: what a network answers to its own test samples is what the run measured, and files are read as the task reads its own.

use bouton::objective::TargetKind;
use bouton::recipe::Recipe;
use bouton::task::npy::{Array, Values};
use bouton::task::{Unseen, stream};
use bouton::train::{Checkpoint, Outcome, RunDir, RunOptions, Silent, Trained, Weights, metrics, run};
use std::path::Path;

const SYNTHETIC: &str =
    "[task.synthetic]\nshape = [1, 3, 3]\nclasses = 4\ntrain = 24\ntest = 12\nbatch = 6\nepochs = 3\n";
const NET: &str = "[network]\nlayers = [9, 7, 4]\n[neuron.relu]\n[credit.backprop]\n";
const SOFTMAX: &str = "[objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.3\n";

fn trained(text: &str, out: &Path) -> RunDir {
    let recipe = Recipe::parse(text, "trained").unwrap_or_else(|e| panic!("{e}\n{text}"));
    match run(&recipe, &RunOptions::new(out), &mut Silent).unwrap_or_else(|e| panic!("{e}\n{text}")) {
        Outcome::Finished { run, .. } => RunDir::open(run).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Kinds of runs whose answers depend on more than their weights: on the task, on its normalisation, on draws, on states.
#[test]
fn answers_are_those_that_the_run_measured() {
    let tasks = "[sequence.permuted]\ntasks = 2\n";
    let texts = [
        format!("{SYNTHETIC}{NET}{SOFTMAX}"),
        format!("{SYNTHETIC}{NET}{SOFTMAX}{tasks}[norm.batch]\nper-task = true\n"),
        format!("{SYNTHETIC}[network]\nlayers = [9, 7, 8]\n[neuron.relu]\n[credit.backprop]\n{SOFTMAX}{tasks}[continual]\nscenario = \"task\"\n"),
        // Outputs of other tasks are larger now and then.
        format!(
            "{SYNTHETIC}[network]\nlayers = [9, 7, 8]\n[neuron.relu]\n[credit.backprop]\n[objective.squared-error]\n\
             [optim.sgd]\nlr = 0.05\n{tasks}[continual]\nscenario = \"task\"\n"
        ),
        format!("{SYNTHETIC}{NET}{SOFTMAX}[synapse.bayesbinn]\nstart = 0.5\n[run]\ntest-draws = 5\n"),
        format!(
            "{SYNTHETIC}[network]\nlayers = [9, 7, 4]\n[neuron.settle]\n[credit.eq-prop]\nbeta = 0.5\nfree-steps = 20\n\
             nudged-steps = 4\n[optim.sgd]\nlr = 0.1\n"
        ),
        "[task.teacher]\ninputs = 9\noutputs = 4\nrule = { committee = { units = 2 } }\ntrain = 24\ntest = 12\nbatch = 6\nepochs = 3\n\
         [network]\nlayers = [9, 7, 4]\n[neuron.relu]\n[credit.backprop]\n[optim.sgd]\nlr = 0.1\n"
            .to_owned(),
        // In time: spikes drawn for each sample, and a value at every step.
        format!(
            "{SYNTHETIC}[encoder.poisson]\nsteps = 9\n[time]\nreading = \"mean\"\n[network]\nlayers = [9, 7, 4]\n[neuron.lif]\n\
             threshold = 0.3\n[credit.e-prop]\n{SOFTMAX}"
        ),
        "[task.pattern]\nsteps = 8\ninputs = 5\nrate = 0.4\ntrain = 6\ntest = 4\nbatch = 3\nepochs = 3\n[time]\nreading = \"each\"\n\
         [network]\nlayers = [5, 7, 1]\n[neuron.lif]\nthreshold = 0.3\n[population.output.neuron.leaky]\n[credit.bptt]\n[optim.sgd]\n\
         lr = 0.1\n"
            .to_owned(),
    ];
    for text in texts {
        let out = tempfile::tempdir().unwrap();
        let run = trained(&text, out.path());
        let lines = metrics::read(&run.metrics()).unwrap().records;
        let mut trained = Trained::load(&run, &Weights::Last).unwrap();
        let recipe = trained.recipe().clone();
        let tests = stream::open(&recipe, None).unwrap().tests;
        for (task, test) in tests.iter().enumerate() {
            let split = if tests.len() == 1 { "test".into() } else { format!("test.{}", task + 1) };
            let told = &lines.iter().rfind(|r| r.split == split).unwrap().values;
            let samples = Unseen::of(test.clone(), &recipe.task);
            let answered = trained.answer(&samples, task).unwrap();
            let found = trained.metrics(&answered, &samples.target(answered.outputs.dtype()));
            assert!(!found.is_empty());
            assert_eq!(answered.names.len(), answered.outputs.cols(), "{text}");
            for (name, value) in &found {
                assert!((value - told[name]).abs() < 1e-6, "{text}{split} {name}: {value} {}", told[name]);
            }
            if answered.probabilities {
                let values = answered.outputs.to_f64s();
                for row in values.chunks(answered.outputs.cols()) {
                    let sum: f64 = row[answered.active.clone()].iter().sum();
                    assert!((sum - 1.0).abs() < 1e-5, "{text}: {row:?}");
                }
            }
        }
    }
}

fn npy(path: &Path, shape: &[usize], values: Values) -> String {
    std::fs::write(path, Array { shape: shape.to_vec(), values }.to_bytes()).unwrap();
    path.display().to_string()
}

/// The same images as bytes, as numbers from 0 to 1, with and without their sides, and as the set itself has them.
#[test]
fn files_are_read_as_the_task_reads_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[task.digits]\nbatch = 20\nepochs = 1\npixels = \"signed\"\nsize = 10\n[network]\nlayers = [100, 10]\n[neuron.relu]\n\
        [credit.backprop]\n[objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.1\n[sequence.permuted]\ntasks = 2\n";
    let run = trained(text, &folder.path().join("runs"));
    let mut network = Trained::load(&run, &Weights::Chosen).unwrap();
    let recipe = network.recipe().clone();
    let set = bouton::task::load("digits", bouton::task::Split::Test, None).unwrap();
    let bytes: Vec<u8> = set.pixels().to_vec();
    let n = set.len();
    let numbers = || bytes.iter().map(|&p| f64::from(p) / 16.0).collect::<Vec<_>>();
    let at = |name: &str| folder.path().join(name);
    let files = [
        npy(&at("bytes.npy"), &[n, 8, 8], Values::Bytes(bytes.clone())),
        npy(&at("numbers.npy"), &[n, 8, 8], Values::Floats(numbers())),
        npy(&at("flat.npy"), &[n, 64], Values::Floats(numbers())),
    ];
    let tests = stream::open(&recipe, None).unwrap().tests;
    for (task, test) in tests.iter().enumerate() {
        let own = network.answer(&Unseen::of(test.clone(), &recipe.task), task).unwrap();
        for file in &files {
            let samples = Unseen::open(&recipe, file, None, task).unwrap();
            assert_eq!((samples.len(), &*samples.names()[4]), (n, "5"));
            let answered = network.answer(&samples, task).unwrap();
            assert_eq!(answered.outputs, own.outputs, "{file} task {task}");
            assert_eq!(answered.targets, TargetKind::Classes);
        }
    }
    let labels =
        npy(&at("y.npy"), &[n], Values::Integers(set.labels().iter().map(|&l| i64::from(l)).collect()));
    let with = Unseen::open(&recipe, &files[0], Some(Some(&labels)), 1).unwrap();
    let dtype = bouton_kernels::DType::F32;
    assert_eq!(
        with.target(dtype).classes(),
        Unseen::of(tests[1].clone(), &recipe.task).target(dtype).classes()
    );
    let wrong = |file: &str, answers, task| Unseen::open(&recipe, file, answers, task).unwrap_err();
    let large = npy(&at("large.npy"), &[1, 8, 8], Values::Bytes(vec![17; 64]));
    let thick = npy(&at("thick.npy"), &[1, 64], Values::Floats(vec![1.5; 64]));
    let few = npy(&at("few.npy"), &[1, 60], Values::Bytes(vec![1; 60]));
    for (error, message) in [
        (wrong(&large, None, 0), "pixel of value 17 in sample 0 exceeds 16"),
        (wrong(&thick, None, 0), "pixel of value 1.5"),
        (wrong(&few, None, 0), "samples of 1x1x60, but the network takes 1x8x8"),
        (wrong(&files[0], Some(None), 0), "holds inputs alone"),
        (wrong(&files[0], None, 2), "there is no task 3"),
        (wrong("nowhere", None, 0), "nowhere"),
    ] {
        assert!(error.to_string().contains(message), "{error}");
    }
    assert!(network.task(None).unwrap_err().hint().unwrap().contains("--task 1"));
    assert!(network.task(Some(0)).is_err() && network.task(Some(2)).unwrap() == 1);
}

/// A table may have the column with the class, or not; only the columns that were learned from are looked at.
#[test]
fn tables_are_read_with_and_without_their_answers() {
    let folder = tempfile::tempdir().unwrap();
    let line = |i: usize| format!("{},{},{}\n", i % 7, i % 5, ["yes", "no"][i % 2]);
    let rows: String = (0..40).map(line).collect();
    std::fs::write(folder.path().join("all.csv"), format!("a,b,class\n{rows}")).unwrap();
    std::fs::write(folder.path().join("blind.csv"), "a,b\n1,2\n3,4\n").unwrap();
    std::fs::write(folder.path().join("wide.csv"), "a,b,c,class\n1,2,3,no\n").unwrap();
    std::fs::write(
        folder.path().join("r.toml"),
        "[task.files]\ntrain = \"all.csv\"\ntest = 0.25\nbatch = 5\nepochs = 1\n[network]\nlayers = [2, 4, 2]\n[neuron.relu]\n\
         [credit.backprop]\n[objective.squared-error]\n[optim.sgd]\nlr = 0.1\n",
    )
    .unwrap();
    let recipe = Recipe::load(folder.path().join("r.toml")).unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    assert_eq!(bouton::task::outputs(&recipe, 0).unwrap(), ["no", "yes"]);
    assert_eq!(Unseen::open(&recipe, &at("all.csv"), None, 0).unwrap().len(), 40);
    assert_eq!(Unseen::open(&recipe, &at("blind.csv"), None, 0).unwrap().len(), 2);
    assert!(Unseen::open(&recipe, &at("blind.csv"), Some(None), 0).is_err());
    let with = Unseen::open(&recipe, &at("all.csv"), Some(None), 0).unwrap();
    assert_eq!(with.target(bouton_kernels::DType::F32).classes().unwrap()[..3], [1, 0, 1]);
    let error = Unseen::open(&recipe, &at("wide.csv"), None, 0).unwrap_err();
    assert!(error.to_string().contains("samples of 1x1x3, but the network takes 1x1x2"), "{error}");
    std::fs::write(at("new.csv"), "a,b,class\n1,2,maybe\n").unwrap();
    let error = Unseen::open(&recipe, &at("new.csv"), Some(None), 0).unwrap_err();
    assert!(
        error.to_string().contains("class `maybe`") && error.hint().unwrap().contains("`no`, `yes`"),
        "{error}"
    );
}

/// Weights: the best if samples were held back, the last if not, or those of a file.
#[test]
fn weights_are_those_that_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let held = SYNTHETIC
        .replace("train = 24", "train = 36\nvalidation = 0.3333")
        .replace("epochs = 3", "epochs = 12");
    let run = trained(&format!("{held}{NET}{}", SOFTMAX.replace("0.3", "0.6")), folder.path());
    let step = |weights: &Weights| Trained::load(&run, weights).unwrap().updates;
    let best =
        Checkpoint::load(&run.checkpoints().join("best.safetensors")).unwrap().meta::<u64>("step").unwrap();
    assert!(best < 48, "a run that tells them apart");
    assert_eq!([step(&Weights::Chosen), step(&Weights::Best), step(&Weights::Last)], [best, best, 48]);
    let file = run.checkpoints().join("000044.safetensors");
    assert_eq!(step(&Weights::File(file)), 44);
    let none = trained(&format!("{SYNTHETIC}{NET}{SOFTMAX}"), folder.path());
    assert_eq!(Trained::load(&none, &Weights::Chosen).unwrap().updates, 12);
    let error = Trained::load(&none, &Weights::Best).unwrap_err();
    assert!(
        error.to_string().contains("no best checkpoint")
            && error.hint().unwrap().contains("validation = 0.1")
    );
}
