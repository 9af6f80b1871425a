//! Claims and their recipes: every recipe runs, the verdicts follow the rule, and results are read from run directories.

use bouton::claims::{
    Agreement, Claim, Mark, Published, ResultLine, Sample, TIMED_BATCHES, Timing, Verdict, append_result,
    assess, collect, compare, estimate, paper, paper_markdown, papers, parse_results, quick, read_results,
    reproducibility_markdown, result_of_run, stored,
};
use bouton::objective::Metric;
use bouton::recipe::Recipe;
use bouton::train::{MetricsWriter, Provenance, Record, RunDir, State, Status, atomic};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes")
}

fn claims() -> impl Iterator<Item = &'static Claim> {
    papers().iter().flat_map(|p| &p.claims)
}

fn claim(full_id: &str) -> &'static Claim {
    let (slug, id) = full_id.split_once('/').unwrap();
    paper(slug).unwrap().claim(id).unwrap()
}

/// The recipes of the repository that belong to a paper, as `<folder>/<file>`.
fn files() -> BTreeSet<String> {
    let folders = std::fs::read_dir(root()).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()));
    let other = |f: &PathBuf| f.ends_with("claims.toml") || f.ends_with("sweep.toml");
    let recipes = files.filter(|f| f.extension().is_some_and(|e| e == "toml") && !other(f));
    recipes.map(|f| f.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/")).collect()
}

#[test]
fn every_recipe_of_a_paper_is_a_claim_and_compiled_in() {
    let claimed: BTreeSet<_> = claims().map(|c| format!("{}/{}", c.paper, c.file)).collect();
    assert_eq!(claimed, files());
    for paper in papers() {
        let folder = root().join(&paper.slug);
        assert!(folder.join("README.md").is_file(), "{}", paper.slug);
        assert!(!paper.title.is_empty() && !paper.reference.is_empty() && !paper.about.is_empty());
    }
    for claim in claims() {
        let (recipe, path) = (claim.recipe().unwrap(), root().join(&claim.paper).join(&claim.file));
        assert_eq!(recipe, Recipe::load(path).unwrap());
        assert_eq!(recipe.name, format!("{}-{}", claim.paper, claim.id), "results are found by this name");
        let own = ["crossings", "credit-atlas"].contains(&claim.paper.as_str());
        assert!(!recipe.about.is_empty() && (own || recipe.cite == [claim.paper.as_str()]));
    }
    stored().unwrap();
}

#[test]
fn unknown_names_are_answered_with_the_known_ones() {
    assert!(paper("scelier2017").unwrap_err().hint().unwrap().contains("`scellier2017`"));
    assert!(paper("ernoult2019").unwrap().claim("p1h").unwrap_err().hint().unwrap().contains("`p-1h`"));
}

/// Each also learns for two updates: `cargo xtask smoke`.
#[test]
fn every_recipe_comes_back() {
    let quickstart = Recipe::load(root().join("quickstart.toml")).unwrap();
    for recipe in claims().map(|c| c.recipe().unwrap()).chain([quickstart]) {
        recipe.check().unwrap_or_else(|e| panic!("{}: {e}", recipe.name));
        assert_eq!(Recipe::parse(&recipe.to_toml(), "resolved").unwrap(), recipe);
        assert_eq!(recipe.smoke().run.updates, Some(2));
    }
}

fn error() -> &'static Metric {
    Metric::named("error").unwrap()
}

fn published(mark: Mark, std: Option<f64>, n: Option<usize>) -> Published {
    Published { mean: 1.97, std, n, digits: 2, mark, source: String::new(), tolerance: 0.25 }
}

#[test]
fn a_sample_has_the_standard_deviation_of_a_sample() {
    let sample = Sample::of(&[2.0, 2.1, 2.2]).unwrap();
    assert!((sample.mean - 2.1).abs() < 1e-12 && (sample.std.unwrap() - 0.1).abs() < 1e-12);
    assert_eq!(Sample::of(&[2.0]).unwrap(), Sample { mean: 2.0, std: None, n: 1 });
    assert_eq!(Sample::of(&[]), None);
}

/// σ = σₚ = 0.1 and n = nₚ = 3 allow 2·√(0.02/3) + 0.005 = 0.16830.
#[test]
fn means_agree_within_two_standard_errors_and_half_a_digit() {
    let theirs = published(Mark::Verified, Some(0.1), Some(3));
    let judge = |difference: f64| {
        let ours = Sample { mean: 1.97 + difference, std: Some(0.1), n: 3 };
        compare(error(), &theirs, &ours).0
    };
    assert_eq!(judge(0.0), Agreement::Match);
    assert_eq!(judge(0.168), Agreement::Match);
    assert_eq!(judge(-0.168), Agreement::Match);
    assert_eq!(judge(0.1685), Agreement::Worse);
    assert_eq!(judge(-0.1685), Agreement::Better);
    let (_, allowed) = compare(error(), &theirs, &Sample { mean: 2.0, std: Some(0.0), n: 5 });
    assert!((allowed.margin - (0.2 / 3f64.sqrt() + 0.005)).abs() < 1e-12);
    assert_eq!(allowed.by_tolerance, None);
}

#[test]
fn an_unknown_spread_is_said_and_replaced_by_the_tolerance() {
    let three = Sample { mean: 2.22, std: Some(0.1), n: 3 };
    let one = Sample { mean: 2.23, std: None, n: 1 };
    let cases = [
        (published(Mark::Verified, None, Some(3)), three, Agreement::Match, "published spread unknown"),
        (
            published(Mark::Verified, Some(0.1), None),
            three,
            Agreement::Match,
            "published number of runs unknown",
        ),
        (published(Mark::Verified, Some(0.1), Some(3)), one, Agreement::Worse, "one seed"),
    ];
    for (theirs, ours, agreement, why) in cases {
        let (got, allowed) = compare(error(), &theirs, &ours);
        assert_eq!((got, allowed.margin, allowed.by_tolerance), (agreement, 0.25, Some(why)));
    }
}

/// One seed beside 20 runs of 42.67 ± 7.42: 2·7.42·√(1 + 1/20) + 0.005 = 15.21.
#[test]
fn one_seed_is_judged_by_the_published_spread() {
    let none = claim("vandeven2019/split-domain-none").published.as_ref().unwrap();
    let judge = |mean: f64| compare(error(), none, &Sample { mean, std: None, n: 1 });
    let (agreement, allowed) = judge(41.0);
    assert_eq!((agreement, allowed.by_tolerance, allowed.one_seed), (Agreement::Match, None, true));
    assert!((allowed.margin - (2.0 * 7.42 * 1.05f64.sqrt() + 0.005)).abs() < 1e-12, "{allowed:?}");
    assert_eq!(judge(42.67 - 15.3).0, Agreement::Better);
    assert_eq!(judge(42.67 + 15.3).0, Agreement::Worse);
    let id = "vandeven2019/split-domain-none";
    let cells = assess(claim(id), &[line(id, 1, 41.0)]).unwrap().cells();
    assert_eq!(cells[4..], ["match", "±15.21 (one seed, published spread)"]);
}

/// "Nothing" and "not recorded" are different words; a recipe that is still the claim's says it for older lines, too.
#[test]
fn what_a_run_was_told_is_on_the_page() {
    let id = "vandeven2019/split-domain-none";
    let row = |recipe: String, told: Option<Vec<String>>| {
        let line = ResultLine { recipe, told, tasks: vec![Some(0.5); 2], ..line(id, 1, 41.0) };
        let page = paper_markdown(paper("vandeven2019").unwrap(), &[line]).unwrap();
        let row = page.lines().find(|l| l.contains("50.0 50.0")).unwrap();
        row.rsplit(" | ").next().unwrap().trim_end_matches(" |").to_owned()
    };
    let other = || "ab12".to_owned();
    assert_eq!(row(other(), None), "not recorded");
    assert_eq!(row(other(), Some(Vec::new())), "nothing");
    assert_eq!(row(other(), Some(vec!["a".into(), "b".into()])), "a; b");
    assert_eq!(row(claim(id).recipe().unwrap().hash(), None), "nothing");
}

fn test_metrics(error: f64) -> BTreeMap<String, f64> {
    [("error", error), ("accuracy", 1.0 - error)].map(|(name, value)| (name.to_owned(), value)).into()
}

fn line(claim: &str, seed: u64, error_percent: f64) -> ResultLine {
    ResultLine {
        claim: claim.into(),
        recipe: "ab12".into(),
        overrides: Vec::new(),
        seed,
        epochs: 50,
        metrics: test_metrics(error_percent / 100.0),
        wall_seconds: 90.0,
        bouton: "0.1.0".into(),
        commit: Some("0123456789".into()),
        date: "2026-11-21".into(),
        machine: "Some CPU, 2 cores".into(),
        threads: 2,
        quick: false,
        tasks: Vec::new(),
        continual: BTreeMap::new(),
        told: None,
    }
}

#[test]
fn only_whole_unchanged_runs_count() {
    let id = "laborieux2022/mnist-n1-b01";
    let claim = claim(id);
    let verdict = |results: &[ResultLine]| assess(claim, results).unwrap().verdict;
    assert_eq!(verdict(&[]), Verdict::NotRun);
    let scaled = ResultLine { quick: true, ..line(id, 1, 1.97) };
    assert_eq!(verdict(std::slice::from_ref(&scaled)), Verdict::Scaled);
    let changed = ResultLine { overrides: vec!["task.mnist.epochs=5".into()], ..line(id, 1, 1.97) };
    assert_eq!(verdict(std::slice::from_ref(&changed)), Verdict::NotRun);
    let full = [scaled, changed, line(id, 1, 3.0), line(id, 1, 2.0), line(id, 2, 2.1), line("x/y", 3, 9.0)];
    let assessed = assess(claim, &full).unwrap();
    assert_eq!(assessed.verdict, Verdict::Match);
    let ours = assessed.ours.unwrap();
    assert!(ours.n == 2 && (ours.mean - 2.05).abs() < 1e-12, "the last run of a seed: {ours:?}");
    assert_eq!(verdict(&[line(id, 1, 2.3)]), Verdict::Worse);
    assert_eq!(verdict(&[line(id, 1, 1.7)]), Verdict::Better);
}

#[test]
fn a_recalled_number_is_never_the_papers() {
    let recalled = claim("ernoult2019/p-1h");
    let two = [line("ernoult2019/p-1h", 1, 2.0), line("ernoult2019/p-1h", 2, 2.1)];
    let cells = assess(recalled, &two).unwrap().cells();
    assert_eq!(cells[2], "recalled, unverified");
    assert_eq!(cells[3], "2.05 ± 0.07 (2), SEM 0.05");
    assert_eq!(cells[4], "unverified target [2.00 ± 0.13]");
    let verified = assess(claim("laborieux2022/mnist-n1-b01"), &[]).unwrap().cells();
    assert_eq!([&verified[2], &verified[3], &verified[4]], ["1.97 ± 0.10 (3)", "–", "not run"]);
    let own = assess(claim("scellier2023/fashion-1h"), &[line("scellier2023/fashion-1h", 1, 10.0)]).unwrap();
    assert_eq!(own.verdict, Verdict::NoPublishedValue);
}

#[test]
fn the_page_shows_every_run_and_what_does_not_count() {
    let id = "ernoult2019/p-1h";
    let changed = ResultLine { overrides: vec!["optim.sgd.lr=0.1".into()], ..line(id, 3, 7.0) };
    let results = [line(id, 1, 2.0), changed];
    let of = |slug| paper_markdown(paper(slug).unwrap(), &results).unwrap();
    let page = of("ernoult2019") + &of("laborieux2022");
    for row in [
        "| p-1h | 784-512-10, prototypical, 30 epochs | recalled, unverified | 2.00 (1) | unverified target [2.00 ± 0.13] |  |",
        "| p-1h | 1 | 50 | 2.00 | 1.5 | 2026-11-21 | 0.1.0 (01234567) | 2 | Some CPU, 2 cores |",
        "| 2 | Some CPU, 2 cores | optim.sgd.lr=0.1 |",
        "| mnist-n1-b04 | 784-256-256-10, N = 1, β = 0.4, 50 epochs | 2.35 ± 0.08 (3) | – | not run |  |",
    ] {
        assert!(page.contains(row), "{row}\n{page}");
    }
}

/// The first page counts every claim once, and leads to the pages of the papers.
#[test]
fn the_first_page_counts() {
    let ids = ["laborieux2022/mnist-n1-b01", "scellier2023/fashion-1h", "ernoult2019/p-1h"];
    let scaled = ResultLine { quick: true, ..line("laborieux2022/mnist-n1-b04", 1, 2.0) };
    let page = reproducibility_markdown(&[
        line(ids[0], 1, 1.97),
        line(ids[1], 1, 9.0),
        line(ids[2], 1, 2.0),
        scaled,
    ])
    .unwrap();
    let all = claims().count();
    let left = all - 4;
    let counts = format!(
        "**{all} claims: 1 compared with a published number (1 match, 0 better, 0 worse), 1 with one that is only remembered, 1 own, \
         1 scaled down, {left} not run**"
    );
    assert!(page.contains(&counts), "{page}");
    let row = page
        .lines()
        .find(|line| line.starts_with("| [laborieux2022](docs/src/reproducibility/laborieux2022.md)"))
        .unwrap();
    let of = paper("laborieux2022").unwrap().claims.len();
    assert!(row.ends_with(&format!("| 1 |  |  |  |  | 1 | {} |", of - 2)), "{row}");
    assert!(page.lines().count() < 60, "it fits on a page");
}

/// A finished run of `recipe` with these test errors, as `bouton run` leaves it behind.
fn finished(out: &Path, recipe: &Recipe, errors: &[f64]) -> RunDir {
    let dir = RunDir::create(out, &recipe.name, recipe.seed, &recipe.hash()).unwrap();
    atomic::write(dir.recipe(), recipe.to_toml()).unwrap();
    Provenance::gather(2, "avx2", &[], BTreeMap::new()).write(&dir.provenance()).unwrap();
    let mut metrics = MetricsWriter::open(&dir.metrics(), None).unwrap();
    for (epoch, &error) in (1..).zip(errors) {
        let values = test_metrics(error);
        let record = Record { step: 10 * epoch, epoch, wall: epoch as f64, split: "test".into(), values };
        metrics.write(&record).unwrap();
    }
    let mut status = Status::new(&recipe.name, recipe.seed, recipe.hash());
    status.state = State::Done;
    status.write(&dir.status_file()).unwrap();
    dir
}

/// Hashes of recipes stay what they are from version to version: stored results are known by them.
#[test]
fn stored_hashes_are_those_of_the_recipes() {
    let lines = stored().unwrap();
    let own = |line: &&ResultLine| {
        let recipe = Recipe { seed: line.seed, ..claim(&line.claim).recipe().unwrap() };
        recipe.hash() == line.recipe
    };
    let (same, all) = (lines.iter().filter(own).count(), lines.len());
    assert!(same >= 270, "{same} of {all}");
}

/// A run on other files than the published ones is told apart, and counts as little as one of another recipe.
#[test]
fn runs_on_unpublished_files_count_for_no_claim() {
    let out = tempfile::tempdir().unwrap();
    let recipe = claim("scellier2023/dhn-1h").recipe().unwrap();
    let dir = finished(out.path(), &recipe, &[0.02]);
    let told = Provenance::read(&dir.provenance()).unwrap();
    Provenance { unpublished: vec!["mnist/a".into()], ..told }.write(&dir.provenance()).unwrap();
    let line = result_of_run(dir.path()).unwrap();
    assert_eq!(line.overrides, ["data=mnist/a, not the published file"]);
    assert!(assess(claim("scellier2023/dhn-1h"), &[line]).unwrap().ours.is_none());
}

#[test]
fn finished_runs_of_a_claim_are_found_by_hash_with_any_seed() {
    let out = tempfile::tempdir().unwrap();
    let claim = claim("scellier2023/dhn-1h");
    let recipe = claim.recipe().unwrap();
    let seeded = Recipe { seed: 7, ..recipe.clone() };
    finished(out.path(), &recipe, &[0.05, 0.0179]);
    finished(out.path(), &seeded, &[0.02]);
    finished(out.path(), &quick(&seeded), &[0.2]);
    let changed = finished(out.path(), &seeded.with_overrides(&["optim.sgd.lr=0.1"]).unwrap(), &[0.3]);
    let failed = finished(out.path(), &Recipe { seed: 8, ..recipe.clone() }, &[0.9]);
    let mut status = failed.status().unwrap();
    status.state = State::Failed;
    status.write(&failed.status_file()).unwrap();

    let mut found = collect(claim, &RunDir::list(out.path()).unwrap().runs).unwrap();
    found.sort_by(|a, b| a.metrics["error"].total_cmp(&b.metrics["error"]));
    let summary: Vec<_> = found.iter().map(|r| (r.seed, r.epochs, r.quick, r.overrides.len())).collect();
    assert_eq!(summary, [(1, 2, false, 0), (7, 1, false, 0), (7, 1, true, 0)]);
    assert!(found[0].metrics == test_metrics(0.0179) && found[0].wall_seconds == 2.0);
    assert_eq!(found[0].claim, "scellier2023/dhn-1h");
    assert_eq!(assess(claim, &found).unwrap().ours.unwrap().n, 2);

    let other = result_of_run(changed.path()).unwrap();
    assert_eq!((other.overrides, other.quick), (vec!["optim.sgd.lr=0.1".to_string()], false));
    assert!(result_of_run(failed.path()).unwrap_err().to_string().contains("failed"));
    let stranger = Recipe { name: "mine".into(), ..recipe };
    let error = result_of_run(finished(out.path(), &stranger, &[0.1]).path()).unwrap_err();
    assert!(error.to_string().contains("`mine`"), "{error}");
}

#[test]
fn results_are_appended_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.jsonl");
    assert_eq!(read_results(&path).unwrap(), []);
    let lines = [line("a/b", 1, 2.0), ResultLine { told: Some(Vec::new()), ..line("a/b", 2, 2.5) }];
    for line in &lines {
        append_result(&path, line).unwrap();
    }
    assert_eq!(read_results(&path).unwrap(), lines);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.contains(r#""epochs":50,"metrics":{"accuracy":0.98,"error":0.02},"wall_seconds""#),
        "{text}"
    );
    std::fs::write(&path, "{\"claim\":\n").unwrap();
    assert!(read_results(&path).unwrap_err().to_string().contains("results.jsonl:1"));
}

/// Lines from before metrics had names: their numbers are what they were, and a line is of one kind or the other.
#[test]
fn older_lines_have_accuracy_and_error_in_percent() {
    let mut older = 0;
    for slug in papers().iter().map(|p| &p.slug) {
        let text = std::fs::read_to_string(root().join(slug).join("results.jsonl")).unwrap();
        for (raw, line) in text.lines().zip(parse_results(&text, slug).unwrap()) {
            let raw: serde_json::Value = serde_json::from_str(raw).unwrap();
            let Some(percent) = raw["error_percent"].as_f64() else { continue };
            let values = ["error", "accuracy"].map(|name| line.value(Metric::named(name).unwrap()).unwrap());
            // The way by the fraction may round once more.
            assert!((values[0] - percent).abs() < 1e-13 && line.metrics.len() == 2, "{raw}");
            assert_eq!(Some(line.metrics["accuracy"]), raw["accuracy"].as_f64(), "{raw}");
            assert!((values[0] + values[1] - 100.0).abs() < 1e-9, "{raw}");
            older += 1;
        }
    }
    assert!(older >= 279, "{older}");
    let json = |line: &ResultLine| serde_json::to_string(line).unwrap();
    let early = r#""accuracy":0.98,"error_percent":2.0,"wall_seconds""#;
    let of = |fields: &str| {
        json(&line("a/b", 1, 2.0))
            .replace(r#""metrics":{"accuracy":0.98,"error":0.02},"wall_seconds""#, fields)
    };
    assert_eq!(parse_results(&of(early), "x").unwrap(), [line("a/b", 1, 2.0)]);
    for wrong in [
        r#""accuracy":0.98,"wall_seconds""#,
        r#""wall_seconds""#,
        r#""accuracy":0.98,"error_percent":2.0,"metrics":{"error":0.02},"wall_seconds""#,
    ] {
        assert!(parse_results(&of(wrong), "x").is_err(), "{wrong}");
    }
    let nan = ResultLine { metrics: [("error".to_owned(), f64::NAN)].into(), ..line("a/b", 1, 2.0) };
    assert!(json(&nan).contains(r#""metrics":{"error":null}"#));
    assert!(parse_results(&json(&nan), "x").unwrap()[0].metrics["error"].is_nan());
}

#[test]
fn quick_versions_are_small_but_of_the_same_kind() {
    for claim in claims() {
        let (whole, small) = (claim.recipe().unwrap(), quick(&claim.recipe().unwrap()));
        small.check().unwrap();
        assert!(small.task.samples() <= 2000 && small.continual.updates.is_none_or(|n| n <= 100));
        if small.task.method().set().is_some() {
            let t = small.task.shown();
            assert!((t.train, t.test) == (Some(2000), Some(500)) && t.epochs <= 2, "{}", claim.id);
        }
        assert_eq!(Recipe { task: whole.task.clone(), continual: whole.continual.clone(), ..small }, whole);
    }
}

#[test]
fn the_estimate_scales_the_timed_batches() {
    let time = |recipe: &Recipe, batches: u64| {
        assert_eq!((recipe.name.as_str(), batches), ("ernoult2019-p-1h", TIMED_BATCHES));
        Ok(Timing { seconds: 0.5, batches, updates: 90_000 })
    };
    let estimate = estimate(claim("ernoult2019/p-1h"), time).unwrap();
    assert_eq!((estimate.updates, estimate.seconds), (90_000, 2250.0));
}
