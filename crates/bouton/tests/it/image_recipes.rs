//! Colour image sets in recipes: sizes and normalisation, where each comes from, and the real set where it is present.

use bouton::Error;
use bouton::recipe::Recipe;
use bouton::task::{Dataset, Split, store, stream};
use bouton_kernels::DType;

#[track_caller]
fn contains(text: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(text.contains(part), "`{part}` is not in: {text}"));
}

fn recipe(task: &str) -> Recipe {
    let text = format!(
        "{task}\n[network]\nlayers = [1024, 10]\n[neuron.relu]\n[credit.backprop]\n[optim.sgd]\nlr = 0.1\n"
    );
    Recipe::parse(&text, "r").unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn recipes_without_the_new_options_resolve_as_before() {
    let resolved = recipe("[task.mnist]\nbatch = 20\nepochs = 3").to_toml();
    let task = "[task.mnist]\nbatch = 20\nepochs = 3\npixels = \"unit\"\nshuffle = true\nshift = 0\nflip = false\n\
                pad = \"zero\"\n\n";
    contains(&resolved, &[task]);
    let text = "[task.cifar10-jpegq75]\nbatch = 1\nepochs = 1\nsize = 40\n\
                normalise = { mean = [0.5, 0.25, 0.0], std = [1.0, 2.0, 3.0] }";
    let resolved = recipe(text).to_toml();
    contains(&resolved, &["size = 40", "mean = [0.5, 0.25, 0.0]", "std = [1.0, 2.0, 3.0]"]);
    assert_eq!(Recipe::parse(&resolved, "resolved").unwrap().to_toml(), resolved);
}

#[test]
fn small_images_enter_a_larger_network() {
    let task = "[task.fashion-mini]\nbatch = 2\nepochs = 1\nsize = 32\nshuffle = false\n\
                normalise = { mean = [0.25], std = [0.5] }";
    let recipe = recipe(task);
    assert_eq!(recipe.task.shape(), ([1, 32, 32], 10));
    recipe.check().unwrap();
    let mut task_stream = stream::open(&recipe, None).unwrap();
    let original = store::load("fashion-mini", Split::Train, None).unwrap();
    let seen = task_stream.train.batch(0, DType::F64);
    assert_eq!(seen.x.cols(), 1024);
    for i in 0..2 {
        for (place, (row, column)) in (0..1024).map(|p| (p, (p / 32, p % 32))) {
            let inside = (2..30).contains(&row) && (2..30).contains(&column);
            let pixel = if inside { original.image(i)[(row - 2) * 28 + column - 2] } else { 0 };
            let expected = (f64::from(pixel) / 255.0 - 0.25) / 0.5;
            assert!((seen.x.get(i, place) - expected).abs() < 1e-12, "{i} {row} {column}");
        }
    }
    let odd = Dataset::new("odd", [2, 1, 2], 2, vec![1, 2, 3, 4], 255.0, vec![0]).unwrap();
    let padded = odd.clone().padded(3).unwrap();
    assert_eq!(padded.shape(), [2, 3, 3]);
    assert_eq!(padded.pixels(), [0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0]);
    let e = odd.padded(1).unwrap_err();
    assert_eq!(e.exit_code(), 2, "{e}");
    contains(&format!("{e} | {}", e.hint().expect("a hint")), &["1x2", "padded to 1", "at least 2"]);
}

#[test]
fn every_set_says_how_to_get_it() {
    let root = tempfile::tempdir().unwrap();
    let ways = [
        ("cifar-10", "bouton data get cifar-10"),
        ("cifar-100", "bouton data get cifar-100"),
        ("svhn", "bouton data get svhn"),
        ("stl-10", "bouton data get stl-10"),
        (
            "cifar10-jpegq75",
            "import PATH, where PATH is cifar10-jpegq75-train.tar.xz or cifar10-jpegq75-test.tar.xz",
        ),
        ("imagenet32", "import PATH, where PATH is Imagenet32_train_npz.zip or Imagenet32_val_npz.zip"),
    ];
    for (name, way) in ways {
        let e = store::load(name, Split::Train, Some(root.path())).unwrap_err();
        assert_eq!(e.exit_code(), 3);
        contains(e.hint().unwrap(), &[way]);
    }
    let e = bouton::task::download::get("imagenet32", Some(root.path()), &mut |_, _| {}).unwrap_err();
    contains(&e.to_string(), &["no public mirror offers `imagenet32`"]);
}

/// The real set, where it is present.
#[test]
fn cifar10_jpegq75_has_the_published_counts() {
    let train = match store::load("cifar10-jpegq75", Split::Train, None) {
        Err(Error::DataMissing { message, .. }) => return eprintln!("skipped: {message}"),
        other => other.unwrap(),
    };
    let test = store::load("cifar10-jpegq75", Split::Test, None).unwrap();
    assert_eq!((train.class_counts(), test.class_counts()), (vec![5000; 10], vec![1000; 10]));
    // The first labels of the official files: frog, truck, truck, deer; cat, ship, ship, airplane.
    assert_eq!((&train.labels()[..4], &test.labels()[..4]), (&[6, 9, 9, 4][..], &[3, 8, 8, 0][..]));
    store::verify("cifar10-jpegq75", None).unwrap();
}
