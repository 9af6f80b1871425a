//! Files of one's own: every format in small files, the same bits from all of them, and what is answered to those that make no sense.

use bouton::Error;
use bouton::credit::Batch;
use bouton::objective::Target;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton::task::{Answers, Files, TaskSpec, checksums, stream};
use bouton_kernels::DType;
use std::io::Write;
use std::path::Path;

const NET: &str = "[neuron.relu]\n[credit.backprop]\n[objective.squared-error]\n[optim.sgd]\nlr = 0.1\n";
const SIDE: usize = 4;
const CLASSES: [&str; 3] = ["ant", "bee", "cat"];

/// A recipe about files in `folder`: the keys of `[task.files]`, and the layers.
fn text(keys: &str, layers: &str) -> String {
    format!("[task.files]\nbatch = 5\nepochs = 2\n{keys}\n[network]\nlayers = {layers}\n{NET}")
}

/// The recipe as it is loaded from `folder`.
fn load(folder: &Path, keys: &str, layers: &str) -> bouton::Result<Recipe> {
    std::fs::write(folder.join("r.toml"), text(keys, layers)).unwrap();
    Recipe::load(folder.join("r.toml"))
}

fn files(recipe: &Recipe) -> &Files {
    if let TaskSpec::Files(files) = &recipe.task { files } else { panic!("no files") }
}

/// Message and hint of what is wrong.
#[track_caller]
fn wrong(folder: &Path, keys: &str) -> String {
    let error = load(folder, keys, "[16, 8, 3]").and_then(|r| r.check()).expect_err(keys);
    format!("{error} / {}", error.hint().unwrap_or_default())
}

/// Images of `n` samples, one byte a pixel, and their classes.
fn images(n: usize, seed: u64) -> (Vec<Vec<u8>>, Vec<usize>) {
    let mut draws = Key::new(seed).stream();
    let pixels = (0..n).map(|_| (0..SIDE * SIDE).map(|_| draws.below(256) as u8).collect()).collect();
    (pixels, (0..n).map(|i| i % CLASSES.len()).collect())
}

fn npy(kind: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), values].concat()
}

fn words(labels: &[usize]) -> Vec<u8> {
    labels.iter().flat_map(|&l| CLASSES[l].chars()).flat_map(|c| u32::from(c).to_le_bytes()).collect()
}

fn idx(kind: u8, dims: &[u32], values: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|d| d.to_be_bytes()).collect();
    [&[0, 0, kind, (dims.len() / 4) as u8][..], &dims, values].concat()
}

fn png(pixels: &[u8], [height, width]: [usize; 2], colour: png::ColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(colour);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    bytes
}

fn zip(path: &Path, members: &[(&str, Vec<u8>)]) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

/// The same images in every format, training and test: keys of a recipe by format.
fn everywhere(folder: &Path) -> Vec<(&'static str, String)> {
    for (split, n, seed) in [("train", 12, 1), ("test", 6, 2)] {
        let (pixels, labels) = images(n, seed);
        let (all, names) = (pixels.concat(), words(&labels));
        let write =
            |name: &str, bytes: &[u8]| std::fs::write(folder.join(format!("{split}{name}")), bytes).unwrap();
        let (x, y) = (npy("|u1", &format!("{n}, 4, 4"), &all), npy("<U3", &format!("{n},"), &names));
        write(".x.npy", &x);
        write(".y.npy", &y);
        zip(&folder.join(format!("{split}.npz")), &[("X.npy", x), ("y.npy", y)]);
        write(".images", &idx(8, &[n as u32, 4, 4], &all));
        write(".labels", &idx(8, &[n as u32], &labels.iter().map(|&l| l as u8).collect::<Vec<_>>()));
        for (i, (pixels, label)) in pixels.iter().zip(&labels).enumerate() {
            let class = folder.join(split).join(CLASSES[*label]);
            std::fs::create_dir_all(&class).unwrap();
            std::fs::write(class.join(format!("{i:02}.png")), png(pixels, [4, 4], png::ColorType::Grayscale))
                .unwrap();
        }
    }
    let pair = |x: &str, y: &str| {
        format!(
            "train = \"train.{x}\"\nlabels = \"train.{y}\"\ntest = \"test.{x}\"\ntest-labels = \"test.{y}\""
        )
    };
    vec![
        ("npy", pair("x.npy", "y.npy")),
        ("npz", "train = \"train.npz\"\ntest = \"test.npz\"".into()),
        ("idx", pair("images", "labels")),
        ("folder", "train = \"train\"\ntest = \"test\"".into()),
    ]
}

/// The first test samples.
fn tested(task_stream: &stream::TaskStream) -> Batch {
    task_stream.train.in_order(&task_stream.tests[0], None, DType::F64).next().unwrap()
}

/// Every sample of a split with its class, in the order of its inputs.
fn samples(recipe: &Recipe, test: bool) -> Vec<(Vec<u64>, usize)> {
    let mut task_stream = stream::open(recipe, None).unwrap();
    let updates = if test { 1 } else { 3 };
    let mut all = Vec::new();
    for update in 0..updates {
        let batch = if test { tested(&task_stream) } else { task_stream.train.batch(update, DType::F64) };
        let Target::Classes(classes) = &batch.target else { panic!("classes") };
        let rows = batch.x.to_f64s();
        let row = |r: usize| {
            rows[r * batch.x.cols()..(r + 1) * batch.x.cols()].iter().map(|x| x.to_bits()).collect()
        };
        all.extend((0..batch.len()).map(|r| (row(r), usize::from(classes[r]))));
    }
    all.sort();
    all
}

#[test]
fn every_format_gives_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    for (format, keys) in everywhere(folder.path()) {
        let recipe = load(folder.path(), &keys, "[16, 8, 3]").unwrap_or_else(|e| panic!("{format}: {e}"));
        recipe.check().unwrap();
        let found = files(&recipe).found.as_ref().unwrap();
        assert_eq!((found.shape, found.outputs, found.train, found.test), ([1, 4, 4], 3, 12, 6), "{format}");
        let names: Vec<&str> = if format == "idx" { vec!["0", "1", "2"] } else { CLASSES.to_vec() };
        assert_eq!(found.classes, names, "{format}");
        seen.push((format, samples(&recipe, false), samples(&recipe, true)));
    }
    let (pixels, labels) = images(12, 1);
    let bits =
        |image: &Vec<u8>| image.iter().map(|&p| (f64::from(p) * (1.0 / 255.0)).to_bits()).collect::<Vec<_>>();
    let mut expected: Vec<_> = pixels.iter().map(bits).zip(labels).collect();
    expected.sort();
    for (format, train, test) in &seen {
        assert!(*train == expected, "{format} differs from what was written");
        assert_eq!(*test, seen[0].2, "{format}");
    }
}

const IRIS: &str = "width,length,species\n1.0,2,setosa\n1.5,2.5,setosa\n3,4,versicolor\n3.5,4.5,versicolor\n1.25,2.25,setosa\n\
    3.25,4.25,versicolor\n";

#[test]
fn tables_have_named_columns_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    put("iris.csv", IRIS);
    put("plain.csv", &IRIS.split_once('\n').unwrap().1.replace(',', ";"));
    put("numbered.csv", &format!("\u{feff}{}", IRIS.replace("width,length,species", "0,1,y")));
    let species = |keys: &str| {
        let recipe = load(folder.path(), &format!("{keys}\ntest = 0.34"), "[2, 4, 2]").unwrap();
        recipe.check().unwrap();
        let found = files(&recipe).found.clone().unwrap();
        assert_eq!((found.shape, found.train, found.test), ([1, 1, 2], 4, 2), "{keys}");
        assert_eq!(found.classes, ["setosa", "versicolor"], "{keys}");
        let task_stream = stream::open(&recipe, None).unwrap();
        tested(&task_stream).x.to_f64s()
    };
    let first = species("train = \"iris.csv\"\nlabel = \"species\"");
    assert_eq!(first, species("train = \"plain.csv\""));
    assert_eq!(first, species("train = \"plain.csv\"\nlabel = \"3\""));
    assert_eq!(first, species("train = \"numbered.csv\"\nheader = true"));
    assert!(first.iter().all(|x| x.fract() % 0.25 == 0.0 && *x >= 1.0), "{first:?}");
}

#[test]
fn answers_that_are_no_whole_numbers_make_a_regression() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..20).map(|i| format!("{i},{}.5,{}\n", i * 2, -i)).collect();
    std::fs::write(folder.path().join("r.csv"), format!("x,y,z\n{rows}")).unwrap();
    for (keys, layers, inputs, outputs) in [
        ("train = \"r.csv\"\ntest = 0.25", "[2, 4, 1]", 2, 1),
        ("train = \"r.csv\"\ntest = 0.25\ntargets = [\"z\", \"y\"]", "[1, 4, 2]", 1, 2),
    ] {
        let recipe = load(folder.path(), keys, layers).unwrap();
        recipe.check().unwrap();
        let found = files(&recipe).found.as_ref().unwrap();
        assert_eq!((found.shape, found.outputs, found.train, found.test), ([1, 1, inputs], outputs, 15, 5));
        assert!(found.classes.is_empty());
        let loaded = recipe.task.method().load(None).unwrap();
        let Answers::Values { outputs: n, values } = loaded.test.answers() else { panic!("values") };
        assert_eq!(*n, outputs);
        let x = loaded.test.numbers(0).unwrap()[0];
        assert_eq!(
            values[..outputs],
            if outputs == 2 { vec![-x, 2.0 * x + 0.5] } else { vec![2.0 * x + 0.5] }
        );
        assert!(recipe.smoke().check().is_ok());
    }
}

#[test]
fn pictures_are_brought_to_one_size_and_colour() {
    let folder = tempfile::tempdir().unwrap();
    let put = |class: &str, name: &str, bytes: Vec<u8>| {
        std::fs::create_dir_all(folder.path().join("p").join(class)).unwrap();
        std::fs::write(folder.path().join("p").join(class).join(name), bytes).unwrap();
    };
    for (class, grey) in [("dark", 10), ("light", 200)] {
        for i in 0..4 {
            put(class, &format!("{i}.png"), png(&[grey + i; 16], [4, 4], png::ColorType::Grayscale));
        }
        put(class, "9.png", png(&[grey; 48], [4, 4], png::ColorType::Rgb));
    }
    put("dark", ".hidden", vec![1]);
    let shape = |keys: &str| {
        let keys = format!("train = \"p\"\ntest = 0.2\n{keys}");
        let recipe = load(folder.path(), &keys, "[16, 8, 3]").unwrap();
        let (files, loaded) = (files(&recipe), recipe.task.method().load(None).unwrap());
        assert_eq!(files.found.as_ref().unwrap().classes, ["dark", "light"]);
        let mean = |i: usize| {
            loaded.train.image(i).iter().map(|&p| f64::from(p)).sum::<f64>() / loaded.train.features() as f64
        };
        assert!(mean(0) < 15.0 && mean(loaded.train.len() - 1) > 195.0);
        loaded.train.shape()
    };
    assert_eq!([shape(""), shape("grey = true"), shape("size = [2, 3]")], [[3, 4, 4], [1, 4, 4], [3, 2, 3]]);
    put("light", "wide.png", png(&[200; 20], [4, 5], png::ColorType::Grayscale));
    let said = wrong(folder.path(), "train = \"p\"\ntest = 0.2");
    assert!(
        said.contains("images of different sizes")
            && said.contains("wide.png (4x5)")
            && said.contains("size = [32, 32]"),
        "{said}"
    );
    assert_eq!(shape("size = [4, 4]"), [3, 4, 4]);
    put("dark", "broken.png", png(&[1; 16], [4, 4], png::ColorType::Grayscale)[..40].to_vec());
    put("light", "notes.txt", b"not a picture".to_vec());
    let said = wrong(folder.path(), "train = \"p\"\ntest = 0.2");
    assert!(said.contains("broken.png: ") && said.contains("notes.txt: neither PNG nor JPEG"), "{said}");
}

/// A recipe is the same wherever its files lie; what they hold is told by checksums.
#[test]
fn recipes_do_not_depend_on_places_and_runs_on_contents() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [&here, &there] {
        std::fs::write(folder.path().join("iris.csv"), IRIS).unwrap();
    }
    let keys = "train = \"iris.csv\"\nlabel = \"species\"\ntest = 0.34";
    let [a, b] = [&here, &there].map(|folder| load(folder.path(), keys, "[2, 4, 2]").unwrap());
    assert_ne!(a, b);
    assert_eq!(a.hash(), b.hash());
    assert_eq!(checksums(&a, None).unwrap(), checksums(&b, None).unwrap());
    assert_ne!(a.hash(), load(here.path(), &keys.replace("0.34", "0.5"), "[2, 4, 2]").unwrap().hash());
    // A resolved recipe knows what was found, also where the files are gone.
    let resolved = Recipe::parse(&a.to_toml(), "resolved").unwrap();
    assert_eq!(resolved, a);
    std::fs::write(there.path().join("iris.csv"), IRIS.replace("3.25", "3.75")).unwrap();
    assert_eq!(load(there.path(), keys, "[2, 4, 2]").unwrap().hash(), a.hash());
    assert_ne!(checksums(&a, None).unwrap(), checksums(&b, None).unwrap());
    std::fs::write(
        there.path().join("iris.csv"),
        format!("{IRIS}9,9,virginica\n9,9,virginica\n9,9,virginica\n"),
    )
    .unwrap();
    let error = b.task.method().load(None).unwrap_err();
    assert!(
        error.to_string().contains("holds 6 + 3 samples of 1x1x2 with 3 classes, but the recipe says 4 + 2"),
        "{error}"
    );
    std::fs::remove_file(here.path().join("iris.csv")).unwrap();
    assert_eq!(Recipe::parse(&a.to_toml(), "resolved").unwrap(), a);
    assert!(matches!(checksums(&a, None), Err(Error::DataMissing { .. })));
    assert!(matches!(a.task.method().load(None), Err(Error::DataMissing { .. })));
    // Another share is another question.
    let other = b.with_overrides(&["task.files.test=0.5"]).unwrap();
    assert_eq!(files(&other).found.as_ref().map(|f| (f.train, f.test)), Some((3, 6)));
}

#[test]
fn files_that_make_no_sense_are_refused_with_place_and_hint() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    put("iris.csv", IRIS.as_bytes());
    put("hole.csv", IRIS.replace("3,4,", "3,,").as_bytes());
    put("word.csv", IRIS.replace("3,4,", "3,four,").as_bytes());
    put("inf.csv", IRIS.replace("3,4,", "3,inf,").as_bytes());
    put("ragged.csv", IRIS.replace("3,4,", "3,4,4,").as_bytes());
    put("unlabelled.csv", IRIS.replace("species", "kind").as_bytes());
    put("lonely.csv", b"species\na\nb\n");
    put("empty.csv", b"");
    put("names.csv", b"width,species\n");
    put("binary.csv", &[0xff, 0xfe, 0x00, 0x80]);
    put("other.csv", IRIS.replace("versicolor", "virginica").as_bytes());
    put("wide.csv", b"a,b,c,species\n1,2,3,setosa\n1,2,3,versicolor\n");
    put("one.csv", b"a,label\n1,x\n2,x\n3,x\n4,x\n");
    put("x.npy", &npy("<f4", "2, 1", &[0; 8]));
    put("y.npy", &npy("|u1", "3,", &[0, 1, 0]));
    put("z.npy", &npy("|u1", "4,", &[0, 1, 0, 1]));
    let nan = [&[0, 0, 0xc0, 0x7f][..], &[0; 28]].concat();
    put("nan.npy", &npy("<f4", "4, 2", &nan));
    put("deep.npy", &npy("|u1", "1, 1, 1, 1, 1", &[0]));
    zip(&folder.path().join("a.npz"), &[("foo.npy", npy("|u1", "3,", &[0; 3]))]);
    std::fs::create_dir_all(folder.path().join("none/of")).unwrap();
    let csv = |name: &str| format!("train = \"{name}.csv\"\nlabel = \"species\"\ntest = 0.34");
    let pair = |x: &str| format!("train = \"{x}.npy\"\nlabels = \"y.npy\"\ntest = 0.5");
    for (keys, words, hint) in [
        (csv("nowhere"), "nowhere.csv: ", "begin at the folder of the recipe"),
        (csv("hole"), "hole.csv: line 4, column `length`: the value is missing", "fill it in"),
        (csv("word"), "word.csv: line 4, column `length`: `four` is no number", "`label` names"),
        (csv("inf"), "line 4, column `length`: `inf` is no number", "turn words into numbers"),
        (csv("ragged"), "ragged.csv: line 4 has 4 cells, but the first has 3", "as many"),
        (csv("unlabelled"), "task.files.label names column `species`, which is not there", "`kind`"),
        (
            "train = \"unlabelled.csv\"\ntest = 0.34".into(),
            "no column is called label, class, target or y",
            "`kind`",
        ),
        (csv("lonely"), "no column is left for inputs", "beside those"),
        (csv("empty"), "empty.csv: holds no samples", "one sample a line"),
        (csv("names"), "names.csv: holds no samples", "one sample a line"),
        (csv("binary"), "binary.csv: no table as text", "CSV in UTF-8"),
        (
            csv("iris").replace("0.34", "\"other.csv\""),
            "class `virginica` is none of those to learn from",
            "`versicolor`",
        ),
        (csv("iris").replace("0.34", "\"wide.csv\""), "have samples of 1x1x2 and of 1x1x3", "one size"),
        (
            csv("iris").replace("0.34", "0.01"),
            "class `setosa` has 3 samples, of which a share of 0.01 leaves 0",
            "another share",
        ),
        (csv("iris").replace("0.34", "1.5"), "task.files.test", "0.2 is usual"),
        ("train = \"one.csv\"\ntest = 0.5".into(), "1 classes are not 2 to 65,536", "`label`"),
        (
            "train = \"iris.csv\"\ntest = 0.34\ntargets = [\"width\", \"depth\"]".into(),
            "column `depth`, which is not there",
            "`length`",
        ),
        (
            "train = \"iris.csv\"\nlabels = \"y.npy\"\ntest = 0.34".into(),
            "holds its answers itself",
            "leave `labels`",
        ),
        (
            csv("iris") + "\ngrey = true",
            "iris.csv: task.files.grey goes with a folder of images",
            "leave it out",
        ),
        (csv("iris") + "\nsize = [4, 4]", "iris.csv: task.files.size goes with a folder", "leave it out"),
        (pair("x") + "\nheader = true", "x.npy: task.files.header goes with a table", "leave it out"),
        (
            "train = \"none\"\ntest = 0.5\ntargets = [\"a\"]".into(),
            "task.files.targets names columns",
            "leave",
        ),
        (pair("x"), "x.npy: 2 samples, and 3 labels", "every sample needs one"),
        (pair("nan").replace("y.npy", "z.npy"), "is not finite", ""),
        (pair("deep"), "inputs of shape [1, 1, 1, 1, 1]", "[samples, features]"),
        ("train = \"x.npy\"\ntest = 0.5".into(), "x.npy holds inputs alone", "`labels` in a recipe"),
        ("train = \"a.npz\"\ntest = 0.5".into(), "no array is called X, x, data", "`foo`"),
        ("train = \"none\"\ntest = 0.5".into(), "none/of: no images", "every class needs some"),
        ("train = \"none/of\"\ntest = 0.5".into(), "no folders of images", "with its name"),
    ] {
        let error = load(folder.path(), &keys, "[2, 8, 2]")
            .and_then(|r| r.check().and_then(|()| stream::open(&r, None).map(drop)));
        let error = error.expect_err(&keys);
        let said = format!("{error} / {}", error.hint().unwrap_or_default());
        assert!(said.contains(words) && said.contains(hint), "{keys}:\n{said}");
        assert!([2, 3].contains(&error.exit_code()));
    }
}

/// Two folders may hold files of one name: both are part of what a run saw.
/// Samples to choose by are a share of those to learn from, or a file of the same kind.
#[test]
fn samples_to_choose_by_are_a_share_or_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let keys = everywhere(folder.path());
    let held = |keys: &str| {
        let recipe = load(folder.path(), keys, "[16, 8, 3]").unwrap();
        let task_stream = stream::open(&recipe, None).unwrap();
        let of = |part| task_stream.train.in_order(part, None, DType::F64).next().unwrap().x.to_f64s();
        let held: Vec<_> = task_stream.validations.iter().map(of).collect();
        (task_stream.train.samples(), held, of(&task_stream.tests[0]), task_stream.held.is_some())
    };
    for (format, keys) in &keys {
        let (n, held, _, told) = held(&format!("{keys}\nvalidation = 0.25"));
        assert_eq!((n, held[0].len() / 16, told), (9, 3, true), "{format}");
    }
    let (n, held, test, told) = held(&format!("{}\nvalidation = \"test.npz\"", keys[3].1));
    assert_eq!((n, held.len(), told), (12, 1, false));
    let sorted = |mut x: Vec<f64>| {
        x.sort_by(f64::total_cmp);
        x
    };
    assert_eq!(sorted(held.concat()), sorted(test));
    let npz = &keys[1].1;
    for (more, message) in [
        ("validation = 0.01", "class 0 has 4 samples, of which a share of 0.01 leaves 0"),
        ("validation-labels = \"x\"", "validation-labels has no meaning without a file validation"),
        ("test-labels = \"x\"", "test.npz is an .npz, which holds its answers itself"),
        ("validation = \"nowhere\"", "nowhere"),
        ("validation = 1.5", "validation"),
        ("validation = \"test.npz\"\n[sequence.sets]\nthen = [\"mnist\"]", "is a file, but mnist"),
    ] {
        let said = load(folder.path(), &format!("{npz}\n{more}"), "[16, 8, 3]")
            .and_then(|r| r.check().and_then(|()| stream::open(&r, None).map(drop)));
        let error = said.expect_err(more);
        assert!(error.to_string().contains(message) && error.hint().is_some(), "{more}: {error}");
    }
}

#[test]
fn files_of_one_name_have_a_checksum_each() {
    let folder = tempfile::tempdir().unwrap();
    for split in ["a", "b"] {
        std::fs::create_dir(folder.path().join(split)).unwrap();
        std::fs::write(folder.path().join(split).join("t.csv"), IRIS).unwrap();
    }
    let keys = "train = \"a/t.csv\"\ntest = \"b/t.csv\"\nlabel = \"species\"";
    let recipe = load(folder.path(), keys, "[2, 4, 2]").unwrap();
    let before = checksums(&recipe, None).unwrap();
    assert_eq!(before.files.len(), 2);
    for split in ["a", "b"] {
        std::fs::write(folder.path().join(split).join("t.csv"), IRIS.replace("3.25", "3.75")).unwrap();
        assert_ne!(checksums(&recipe, None).unwrap(), before, "{split}");
        std::fs::write(folder.path().join(split).join("t.csv"), IRIS).unwrap();
    }
}

/// A network learns from a table, and the run goes on from a checkpoint as any other.
#[test]
fn a_table_is_learned() {
    let folder = tempfile::tempdir().unwrap();
    let mut draws = Key::new(3).stream();
    let mut rows = String::from("a,b,label\n");
    for i in 0..120 {
        let at = if i % 2 == 0 { 1.0 } else { -1.0 };
        rows += &format!(
            "{:.4},{:.4},{}\n",
            at + 0.3 * draws.normal(),
            0.3 * draws.normal(),
            ["left", "right"][i % 2]
        );
    }
    std::fs::write(folder.path().join("t.csv"), rows).unwrap();
    let keys = "train = \"t.csv\"\ntest = 0.25";
    let recipe =
        load(folder.path(), keys, "[2, 8, 2]").unwrap().with_overrides(&["task.files.epochs=20"]).unwrap();
    let mut trainer = bouton::train::Trainer::new(&recipe, None).unwrap();
    crate::common::learn(&mut trainer, 360);
    let score = trainer.evaluate(0).unwrap().value("accuracy").unwrap();
    assert!(score > 0.95, "{score}");
}

/// An `.npy` is read row by row from its file: bytes and floats, flat and as images, a share held back; a file that shrinks ends the run.
#[test]
fn arrays_stay_in_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let (pixels, labels) = images(24, 5);
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let singles: Vec<u8> =
        pixels.concat().iter().flat_map(|&p| (f32::from(p) / 255.0).to_le_bytes()).collect();
    write("x.npy", &npy("<f4", "24, 16", &singles));
    write("y.npy", &npy("<U3", "24,", &words(&labels)));
    zip(
        &folder.path().join("xy.npz"),
        &[("X.npy", npy("<f4", "24, 16", &singles)), ("y.npy", npy("<U3", "24,", &words(&labels)))],
    );
    let own = "train = \"x.npy\"\nlabels = \"y.npy\"\ntest = 0.25\nvalidation = 0.25\ndraw = 3";
    let stored = load(folder.path(), own, "[16, 8, 3]").unwrap();
    let loaded = load(
        folder.path(),
        &own.replace("x.npy", "xy.npz").replace("labels = \"y.npy\"\n", ""),
        "[16, 8, 3]",
    )
    .unwrap();
    let found = |recipe: &Recipe| files(recipe).found.clone().unwrap();
    assert!(found(&stored).stored && !found(&loaded).stored);
    assert!(stored.memory().unwrap().total() < loaded.memory().unwrap().total());
    let all = |recipe: &Recipe| {
        let mut task_stream = stream::open(recipe, None).unwrap();
        let held = task_stream.train.in_order(&task_stream.validations[0], None, DType::F64).next().unwrap();
        let updates = task_stream.train.updates();
        let mut seen: Vec<f64> = held.x.to_f64s();
        seen.extend(tested(&task_stream).x.to_f64s());
        (0..updates).for_each(|u| seen.extend(task_stream.train.batch(u, DType::F64).x.to_f64s()));
        seen
    };
    assert_eq!(all(&stored), all(&loaded), "the same bits");
    let mut trainer = bouton::train::Trainer::new(&stored, None).unwrap();
    trainer.learn().unwrap();
    std::fs::OpenOptions::new().write(true).open(folder.path().join("x.npy")).unwrap().set_len(200).unwrap();
    let error = (0..2).find_map(|_| trainer.learn().err()).unwrap();
    assert!(error.to_string().contains("x.npy: sample") && error.hint().is_some(), "{error}");
}
