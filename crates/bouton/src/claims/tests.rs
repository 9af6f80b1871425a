//! Claims about other metrics than the error: a made-up paper that imitates a teacher, and one that counts right answers.

use super::embedded::Folder;
use super::markdown::section;
use super::results::result_among;
use super::*;
use crate::train::{Outcome, RunOptions, Silent, metrics, run};
use std::collections::BTreeMap;

macro_rules! student {
    ($id:literal, $rate:literal) => {
        concat!(
            "name = \"tenant-",
            $id,
            "\"\n[task.teacher]\ninputs = 8\noutputs = 2\nrule = { polynomial = { degree = 1, directions = 2 } }\n",
            "noise = 0.1\ntrain = 200\ntest = 50\nbatch = 10\nepochs = 6\n[network]\nlayers = [8, 16, 2]\n",
            "[neuron.relu]\n[credit.backprop]\n[optim.sgd]\nlr = ",
            $rate,
            "\n"
        )
    };
}

const DIGITS: &str = "name = \"tenant-right\"\n[task.digits]\nbatch = 10\nepochs = 1\n[network]\nlayers = [64, 8, 10]\n\
    [neuron.relu]\n[credit.backprop]\n[optim.sgd]\nlr = 0.05\n";

/// A claim in the words of `claims.toml`; `more` are further keys of it.
fn words(id: &str, more: &str, mean: f64) -> String {
    format!(
        "[[claims]]\nid = \"{id}\"\nrecipe = \"{id}.toml\"\nabout = \"a student\"\ncost = \"minutes\"\n{more}\n\
         [claims.published]\nmean = {mean}\ndigits = 3\nmark = \"verified\"\nsource = \"table 1\"\ntolerance = 0.02\n"
    )
}

/// A paper of these claims; `fit` and `miss` imitate a teacher, `right` tells digits apart.
fn tenant(claims: &[String]) -> Result<Paper> {
    let head = "title = \"Students\"\nreference = \"nobody\"\nabout = \"Regression.\"\n";
    parse(&Folder {
        slug: "tenant",
        claims: format!("{head}{}", claims.concat()).leak(),
        results: "",
        recipes: &[
            ("fit.toml", student!("fit", 0.05)),
            ("miss.toml", student!("miss", 0.02)),
            ("right.toml", DIGITS),
        ],
    })
}

fn line(id: &str, seed: u64, metrics: &[(&str, f64)]) -> ResultLine {
    let metrics: BTreeMap<_, _> = metrics.iter().map(|(name, value)| (name.to_string(), *value)).collect();
    let fields = serde_json::json!({
        "claim": format!("tenant/{id}"), "recipe": "ab12", "overrides": [], "seed": seed, "epochs": 6, "metrics": metrics,
        "wall_seconds": 90.0, "bouton": "0.1.0", "commit": null, "date": "2026-11-30", "machine": "Some CPU, 2 cores",
        "threads": 2, "quick": false,
    });
    parse_results(&fields.to_string(), "line").unwrap().remove(0)
}

/// What one claim about `named` (empty: about nothing by name) comes to beside `metrics` of one seed.
fn row(id: &str, named: &str, mean: f64, metrics: &[(&str, f64)]) -> (Verdict, [String; 2]) {
    let named = if named.is_empty() { String::new() } else { format!("metric = \"{named}\"") };
    let paper = tenant(&[words(id, &named, mean)]).unwrap();
    let assessed = assess(&paper.claims[0], &[line(id, 1, metrics)]).unwrap();
    let [_, _, paper, ours, ..] = assessed.cells();
    (assessed.verdict, [paper, ours])
}

/// The numbers differ by name, so that one taken for another changes what is shown; the tolerance is 0.02.
#[test]
fn a_verdict_goes_by_name_unit_and_direction_of_its_metric() {
    use Verdict::{Better, Match, Worse};
    let values = [("mse", 0.0715), ("mae", 0.21), ("r2", 0.93), ("loss", 0.5)];
    let classes = [("accuracy", 0.981), ("error", 0.019), ("loss", 0.5)];
    for (id, named, mean, metrics, verdict, shown) in [
        ("fit", "r2", 0.9, &values[..], Better, ["0.900", "0.9300 (1)"]),
        ("fit", "r2", 0.96, &values, Worse, ["0.960", "0.9300 (1)"]),
        ("fit", "r2", 0.949, &values, Match, ["0.949", "0.9300 (1)"]),
        ("fit", "", 0.05, &values, Worse, ["0.050", "0.0715 (1)"]),
        ("fit", "mse", 0.1, &values, Better, ["0.100", "0.0715 (1)"]),
        ("fit", "mae", 0.22, &values, Match, ["0.220", "0.2100 (1)"]),
        ("right", "", 1.8, &classes, Worse, ["1.800", "1.900 (1)"]),
        ("right", "error", 2.0, &classes, Better, ["2.000", "1.900 (1)"]),
        ("right", "accuracy", 98.0, &classes, Better, ["98.000", "98.100 (1)"]),
        ("right", "accuracy", 98.2, &classes, Worse, ["98.200", "98.100 (1)"]),
        ("right", "accuracy", 98.11, &classes, Match, ["98.110", "98.100 (1)"]),
    ] {
        assert_eq!(row(id, named, mean, metrics), (verdict, shown.map(String::from)), "{named} {mean}");
    }
}

/// What diverged counts, and is never better; what was not measured does not count.
#[test]
fn no_number_is_worse_and_a_missing_one_was_not_run() {
    for named in ["mse", "r2"] {
        let (verdict, [_, ours]) = row("fit", named, 0.5, &[(named, f64::NAN)]);
        assert_eq!((verdict, ours.as_str()), (Verdict::Worse, "NaN (1)"));
    }
    assert_eq!(row("fit", "r2", 0.5, &[("mse", 0.5)]), (Verdict::NotRun, ["0.500".into(), "–".into()]));
}

/// Three seeds by hand: mean 0.93, deviation 0.01, standard error 0.01/√3; 2·√(0.0001/3 + 0.0004/4) + 0.0005 = 0.02359.
#[test]
fn tables_name_the_metric_in_the_head_or_beside_the_rows() {
    let spread = "metric = \"r2\"";
    let fit = words("fit", spread, 0.9).replace("digits", "std = 0.02\nn = 4\ndigits");
    let results: Vec<_> =
        (1..).zip([0.92, 0.93, 0.94]).map(|(seed, r2)| line("fit", seed, &[("r2", r2)])).collect();
    let page = |claims: &[String], results: &[ResultLine]| {
        let mut page = String::new();
        section(&mut page, &tenant(claims).unwrap(), results).unwrap();
        page
    };
    let one = page(std::slice::from_ref(&fit), &results);
    for row in [
        "| claim | what | paper: test r2 | ours: test r2 | verdict | allowed difference |\n|---|---|---|---|---|---|",
        "| fit | a student | 0.900 ± 0.020 (4) | 0.9300 ± 0.0100 (3), SEM 0.0058 | better | ±0.0236 (two standard errors) |",
        "| claim | seed | epochs | test r2 | minutes | date | bouton | threads | machine |",
        "| fit | 1 | 6 | 0.9200 | 1.5 | 2026-11-30 | 0.1.0 | 2 | Some CPU, 2 cores |",
    ] {
        assert!(one.contains(row), "{row}\n{one}");
    }
    let right = line("right", 1, &[("accuracy", 0.981), ("error", 0.019)]);
    let both = page(&[fit, words("right", "", 2.0)], &[&results[..], &[right]].concat());
    for row in [
        "| claim | what | metric | paper | ours | verdict | allowed difference |\n|---|---|---|---|---|---|---|",
        "| fit | a student | test r2 | 0.900 ± 0.020 (4) | 0.9300 ± 0.0100 (3), SEM 0.0058 | better |",
        "| right | a student | test error % | 2.000 | 1.900 (1) | better | ±0.020 (tolerance: published spread unknown) |",
        "| claim | seed | epochs | test | minutes |",
        "| fit | 3 | 6 | r2 0.9400 | 1.5 |",
        "| right | 1 | 6 | error % 1.900 | 1.5 |",
    ] {
        assert!(both.contains(row), "{row}\n{both}");
    }
}

#[test]
fn metrics_that_a_task_does_not_have_are_refused_with_those_it_has() {
    for (id, named, kind, known) in [
        ("fit", "r3", "values", "known are `mse`, `mae`, `r2`"),
        ("fit", "accuracy", "values", "known are `mse`, `mae`, `r2`"),
        ("right", "r2", "classes", "known are `accuracy`, `error`"),
        ("right", "loss", "classes", "known are `accuracy`, `error`"),
    ] {
        let error = tenant(&[words(id, &format!("metric = \"{named}\""), 0.9)]).unwrap_err();
        let place = format!("recipes/tenant/claims.toml: claim `{id}`: `{named}` is no metric of {kind}");
        assert_eq!((error.to_string(), error.hint()), (place, Some(known)));
    }
}

/// From training to the table.
#[test]
fn a_regression_is_stored_assessed_and_shown() {
    let paper = tenant(&[words("fit", "metric = \"r2\"", 0.9), words("miss", "", 0.1)]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("results.jsonl");
    for claim in &paper.claims {
        let outcome = run(&claim.recipe().unwrap(), &RunOptions::new(folder.path()), &mut Silent).unwrap();
        let Outcome::Finished { run, .. } = outcome else { panic!("{outcome:?}") };
        let line = result_among(paper.claims.iter(), &run).unwrap();
        let records = metrics::read(&run.join("metrics.jsonl")).unwrap().records;
        assert_eq!(Some(&line.metrics), records.iter().rfind(|r| r.split == "test").map(|r| &r.values));
        assert_eq!(line.metrics.keys().collect::<Vec<_>>(), ["loss", "mae", "mse", "r2"]);
        assert_eq!((line.epochs, line.overrides.len(), line.continual.len()), (6, 0, 0));
        append_result(&store, &line).unwrap();
    }
    let results = read_results(&store).unwrap();
    let assessed: Vec<_> = paper.claims.iter().map(|claim| assess(claim, &results).unwrap()).collect();
    let (head, rows) = Assessment::table(&assessed);
    assert_eq!(head[2..], ["metric", "paper", "ours", "verdict", "allowed difference"]);
    assert_eq!(
        [&rows[0][2..6], &rows[1][2..6]],
        [["test r2", "0.900", "0.9405 (1)", "better"], ["test mse", "0.100", "0.1687 (1)", "worse"]]
    );
}
