//! Figures of many runs, and what runs over several tasks show of themselves.

use crate::runs::{answer, made, some};
use crate::train::succeeds;
use bouton::train::State;

#[test]
fn a_page_about_many_runs_has_every_group_and_every_seed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    some(&at.join("runs"));
    let (out, _) = succeeds(at, &["report", "--compare"]);
    assert_eq!(out, "runs/compare.html\n");
    let page = std::fs::read_to_string(at.join("runs/compare.html")).unwrap();
    assert!(page.contains("8 runs in 3 groups") && page.contains("<title>8 runs</title>"), "{page}");
    for text in
        ["beta 0.25, optim sgd", "beta 0.5, optim adam", "<td>1 2 3</td>", ">failed<", "Last accuracy"]
    {
        assert!(page.contains(text), "{text}");
    }
    let dots = page.split("<svg").nth(1).unwrap();
    assert_eq!(dots.matches("fill-opacity").count(), 8, "a dot for each seed");
    // Nothing is loaded from anywhere.
    let outside = page.replace("http://www.w3.org/2000/svg", "");
    for bad in ["http:", "https:", "href=", "src=", "<script", "url("] {
        assert!(!outside.contains(bad), "{bad}");
    }
    let (out, _) =
        succeeds(at, &["report", "--compare", "*_s1_*", "s4", "--where", "optim=sgd", "-o", "some.html"]);
    let page = std::fs::read_to_string(at.join(out.trim())).unwrap();
    assert!(page.contains("3 runs in 2 groups"), "{page}");
}

#[test]
fn a_plot_is_drawn_in_every_kind_of_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    some(&at.join("runs"));
    let drawn = |words: &[&str]| {
        let (out, _) = succeeds(at, &[&["plot", "accuracy", "--where", "optim=sgd"], words].concat());
        std::fs::read(at.join(out.trim())).unwrap()
    };
    let text = |words: &[&str]| String::from_utf8(drawn(words)).unwrap();
    let svg = text(&["--width", "120"]);
    assert!(svg.contains("width=\"120mm\"") && svg.matches("<polygon").count() == 2, "two bands: {svg}");
    assert!(svg.contains(">beta<") && svg.contains(">0.25<") && svg.contains("font-size=\"8\""), "{svg}");
    // Means of the seeds at every update: 0.4, 0.45 and 0.65 rise in quarters to 0.5.
    let csv = text(&["-o", "a.csv"]);
    let row: Vec<_> = csv.lines().nth(2).unwrap().split(',').collect();
    assert_eq!(row[..4], ["0.25", "accuracy", "2", "3"], "{csv}");
    assert!((row[4].parse::<f64>().unwrap() - 0.25).abs() < 1e-12, "{csv}");
    let csv = text(&["--x", "beta", "-o", "b.csv"]);
    assert!(csv.starts_with("metric,beta,n,mean") && csv.lines().count() == 3, "{csv}");
    let svg = text(&["--x", "neuron", "--by", "beta", "-o", "c.svg"]);
    assert!(svg.contains(">settle<") && svg.contains(">neuron<"), "{svg}");
    let pdf = drawn(&["-o", "a.PDF"]);
    assert!(pdf.starts_with(b"%PDF-1.4") && pdf.ends_with(b"%%EOF\n"));
    let png = drawn(&["-o", "a.png", "--width", "127"]);
    let width = u32::from_be_bytes(png[16..20].try_into().unwrap());
    assert!(png.starts_with(b"\x89PNG") && width == 1500, "five inches: {width}");
    let (code, _, said) = answer(at, &["plot", "accuracy", "--width", "3"]);
    assert!(code == 2 && said.contains("30..=1000"), "{said}");
}

const TASKS: &str = "\
[task.synthetic]
shape = [1, 4, 4]
classes = 4
train = 40
test = 20
batch = 10
epochs = 2
[sequence.split]
classes = 2
[network]
layers = [16, 8, 2]
[neuron.relu]
[credit.backprop]
[objective.softmax-cross-entropy]
[optim.adam]
lr = 0.01
";

#[test]
fn a_run_over_tasks_shows_what_it_kept_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("tasks.toml"), TASKS).unwrap();
    let (out, _) = succeeds(at, &["run", "tasks.toml"]);
    let (shown, _) = succeeds(at, &["runs", "show", "last"]);
    let (csv, _) = succeeds(at, &["runs", "show", "last", "--matrix"]);
    assert!(csv.starts_with("after,task 1 (0 1),task 2 (2 3)\nbefore,"), "{csv}");
    let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), ["before", "task 1", "task 2"]);
    let last = rows[2][1..].iter().map(|x| format!("{:.1}", 100.0 * x.parse::<f64>().unwrap()));
    let last: Vec<String> = std::iter::once("task 2".to_owned()).chain(last).collect();
    for text in [&out, &shown] {
        let line = text.lines().find(|line| line.starts_with("task 2 ")).unwrap();
        assert_eq!(
            line.split("  ").map(str::trim).filter(|w| !w.is_empty()).collect::<Vec<_>>(),
            last,
            "{text}"
        );
    }
    let run = crate::train::only_run(at);
    let page = std::fs::read_to_string(run.join("report.html")).unwrap();
    let figures = page.split("<figure aria-label=\"").skip(1).map(|f| f.split('"').next().unwrap());
    assert_eq!(figures.take(2).collect::<Vec<_>>(), ["Accuracy by task", "Accuracy"]);
    assert!(
        page.contains("task 1 (0 1), task 2 (2 3). ") && page.contains("sequence.split.classes = 2"),
        "{page}"
    );
    // One boundary between two tasks.
    let curve = page.split("<figure aria-label=\"Accuracy\"").nth(1).unwrap().split("</svg>").next().unwrap();
    assert!(curve.contains("stroke=\"#828890\"") && page.contains("Thin lines are the ends of tasks."));
    succeeds(at, &["run", "tasks.toml", "seed=2"]);
    succeeds(at, &["report", "--compare"]);
    let page = std::fs::read_to_string(at.join("runs/compare.html")).unwrap();
    for text in ["Accuracy on the first task", "Mean accuracy on the tasks so far", "Mean over 2 seeds."] {
        assert!(page.contains(text), "{text}");
    }
    made(&at.join("runs"), &[], State::Done, 0.5);
    succeeds(at, &["report", "--compare"]);
}
