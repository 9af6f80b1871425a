//! REPRODUCIBILITY.md, from stored results.

use super::assess::result;
use super::{Assessment, Paper, ResultLine, Verdict, assess, papers};
use crate::Result;
use crate::recipe::Recipe;
use crate::train::continual::task_information;
use std::borrow::Borrow;
use std::fmt::Write;

const HEAD: &str = "\
# Reproducibility

Generated from `recipes/*/results.jsonl`; do not edit. Every run counts, whatever came out; a paper's page has its claims, all runs and
what was found out about those that did not come out.
";

const LEGEND: &str = "\
A claim is one number of a paper. Numbers are means ± standard deviation (SD) over seeds (number of seeds), ours also with the
standard error of the mean, SEM = SD/√n, after the last epoch.

- **match**: |ours − paper| ≤ 2·√(σ²/n + σₚ²/nₚ) + half a unit of the last printed digit. One seed of
  ours is taken to be one more of the published runs: 2σₚ·√(1 + 1/nₚ) + half a unit, or the tolerance of the claim if that is
  larger. Where the published spread is unknown, the tolerance of the claim. **better**, **worse**: beyond it.
- **unverified target**: the published number was written down from memory. It stands in brackets, is not the paper's word,
  and nothing is said to agree with it.
- **no published value**: our own row. **scaled**: only a scaled-down run, which never counts. **not run**: nothing stored.
";

const RUNS: [&str; 9] = ["claim", "seed", "epochs", "", "minutes", "date", "bouton", "threads", "machine"];
/// Where [`RUNS`] leaves room for the result.
const RESULT: usize = 3;

/// Where the pages of papers stand, seen from the root.
const PAGES: &str = "docs/src/reproducibility";

/// The first page: how many claims came to what, in one line and paper by paper.
///
/// # Errors
/// As [`assess`].
pub fn reproducibility_markdown(results: &[ResultLine]) -> Result<String> {
    let (mut all, mut rows) = (Counts::default(), Vec::new());
    for paper in papers() {
        let mut counts = Counts::default();
        for claim in &paper.claims {
            counts.add(assess(claim, results)?.verdict);
        }
        let link = format!("[{0}]({PAGES}/{0}.md)", paper.slug);
        rows.push([vec![link, paper.title.clone()], counts.cells()].concat());
        all = all.with(&counts);
    }
    let mut page = format!("{HEAD}\n**{all}**\n\n");
    table(&mut page, &[&["paper", "title"][..], &Counts::HEAD].concat(), rows.into_iter());
    page.push('\n');
    page.push_str(LEGEND);
    Ok(page)
}

/// The page of one paper: a table of its claims, and every run behind it.
///
/// # Errors
/// As [`assess`].
pub fn paper_markdown(paper: &Paper, results: &[ResultLine]) -> Result<String> {
    let mut page = String::new();
    section(&mut page, paper, results)?;
    Ok(format!("{}\n{LEGEND}", page.trim_start().replacen("## ", "# ", 1)))
}

/// How many claims came to what.
#[derive(Clone, Debug, Default, PartialEq)]
struct Counts([usize; 7]);

impl Counts {
    /// Heads of the columns, in the order of [`Verdict`].
    const HEAD: [&'static str; 7] =
        ["match", "better", "worse", "unverified target", "own", "scaled", "not run"];

    fn add(&mut self, verdict: Verdict) {
        self.0[verdict as usize] += 1;
    }

    fn with(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }

    fn cells(&self) -> Vec<String> {
        self.0.iter().map(|n| if *n == 0 { String::new() } else { n.to_string() }).collect()
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [same, better, worse, unverified, own, scaled, left] = self.0;
        let (compared, all) = (same + better + worse, self.0.iter().sum::<usize>());
        write!(
            f,
            "{all} claims: {compared} compared with a published number ({same} match, {better} better, {worse} worse), {unverified} with \
             one that is only remembered, {own} own, {scaled} scaled down, {left} not run"
        )
    }
}

pub(super) fn section(page: &mut String, paper: &Paper, results: &[ResultLine]) -> Result<()> {
    let Paper { slug, title, reference, .. } = paper;
    // Writing to a string cannot fail.
    let _ = write!(page, "\n## {slug}\n\n{title}. {reference}.\n\n");
    let assessed = paper.claims.iter().map(|claim| assess(claim, results)).collect::<Result<Vec<_>>>()?;
    let (head, rows) = Assessment::table(&assessed);
    table(page, &head, rows.into_iter());
    let noted = paper.claims.iter().filter_map(|c| Some((&c.id, c.note.as_ref()?)));
    let sources = paper.claims.iter().filter_map(|c| Some((&c.id, &c.published.as_ref()?.source)));
    let mut notes: Vec<(&String, Vec<&str>)> = Vec::new();
    for (id, note) in noted.chain(sources) {
        match notes.iter_mut().find(|(text, _)| *text == note) {
            Some((_, ids)) => ids.push(id),
            None => notes.push((note, vec![id])),
        }
    }
    page.push('\n');
    for (note, ids) in notes {
        let _ = writeln!(page, "- {}: {note}.", ids.join(", "));
    }
    runs(page, paper, &assessed, results);
    tasks(page, paper, results);
    Ok(())
}

fn runs(page: &mut String, paper: &Paper, assessed: &[Assessment<'_>], results: &[ResultLine]) {
    let claim = |r: &ResultLine| assessed.iter().find(|a| a.claim.full_id() == r.claim);
    let (full, other): (Vec<_>, Vec<_>) = results
        .iter()
        .filter_map(|r| Some((claim(r)?, r)))
        .partition(|(_, r)| !r.quick && r.overrides.is_empty());
    // As in the table of claims, one metric stands in the head and several stand in the rows.
    let one = Assessment::metric_of(assessed);
    let mut head = RUNS.map(String::from);
    head[RESULT] = one.map_or("test".into(), result);
    let row = |(a, r)| cells(paper, a, one.is_none(), r);
    if !full.is_empty() {
        page.push_str("\nRuns:\n\n");
        table(page, &head, full.into_iter().map(row));
    }
    if !other.is_empty() {
        page.push_str("\nRuns that do not count, with what was changed:\n\n");
        let changed = other.into_iter().map(|(a, r)| {
            let what = if r.quick { "scaled down".into() } else { r.overrides.join(" ") };
            [row((a, r)), vec![what]].concat()
        });
        table(page, &[&head[..], &["changed".into()]].concat(), changed);
    }
}

/// What runs over several tasks ended with.
fn tasks(page: &mut String, paper: &Paper, results: &[ResultLine]) {
    let sequence = |r: &ResultLine| !r.tasks.is_empty() || r.told.is_some();
    let belongs = |r: &&ResultLine| paper.claims.iter().any(|c| c.full_id() == r.claim) && sequence(r);
    let runs: Vec<_> =
        results.iter().filter(belongs).filter(|r| !r.quick && r.overrides.is_empty()).collect();
    if runs.is_empty() {
        return;
    }
    page.push_str(
        "\nAfter the last task, in percent: accuracy by task; ACC and BWT as Lopez-Paz & Ranzato (2017) define them.\n\n",
    );
    let percent = |x: f64| format!("{:.1}", 100.0 * x);
    let rows = runs.iter().map(|r| {
        let metric = |name: &str| r.continual.get(name).map_or("–".into(), |&x| percent(x));
        let by_task =
            r.tasks.iter().map(|x| x.map_or_else(|| "–".into(), percent)).collect::<Vec<_>>().join(" ");
        let id = own_id(paper, r).into();
        vec![id, r.seed.to_string(), by_task, metric("acc"), metric("bwt"), stated(paper, r)]
    });
    table(page, &["claim", "seed", "accuracy by task", "ACC", "BWT", "told about tasks"], rows);
}

/// What a run was told about its tasks. The claim's recipe says it if the run's is the same, because older versions
/// stored less; otherwise what is stored.
fn stated(paper: &Paper, r: &ResultLine) -> String {
    let claim = paper.claims.iter().find(|c| c.full_id() == r.claim);
    let recipe = claim.and_then(|c| c.recipe().ok()).map(|recipe| Recipe { seed: r.seed, ..recipe });
    let own =
        recipe.filter(|recipe| recipe.hash() == r.recipe).map(|recipe| task_information(&recipe).list());
    match own.or_else(|| r.told.clone()) {
        None => "not recorded".into(),
        Some(told) if told.is_empty() => "nothing".into(),
        Some(told) => told.join("; "),
    }
}

fn own_id<'a>(paper: &Paper, r: &'a ResultLine) -> &'a str {
    r.claim.strip_prefix(&format!("{}/", paper.slug)).unwrap_or(&r.claim)
}

/// The row of one run, where it is `told` with its metric.
fn cells(paper: &Paper, a: &Assessment<'_>, told: bool, r: &ResultLine) -> Vec<String> {
    let id = own_id(paper, r);
    let value = r.value(a.metric).map_or("–".into(), |value| a.number(value));
    let commit = r.commit.as_ref().map_or(String::new(), |commit| {
        let (id, mark) = commit.split_once(", ").unwrap_or((commit, ""));
        let modified = if mark.is_empty() { "" } else { ", modified" };
        format!(" ({}{modified})", id.chars().take(8).collect::<String>())
    });
    vec![
        id.into(),
        r.seed.to_string(),
        r.epochs.to_string(),
        if told { format!("{} {value}", a.metric.title()) } else { value },
        format!("{:.1}", r.wall_seconds / 60.0),
        r.date.clone(),
        format!("{}{commit}", r.bouton),
        r.threads.to_string(),
        r.machine.clone(),
    ]
}

fn table(page: &mut String, header: &[impl Borrow<str>], rows: impl Iterator<Item = Vec<String>>) {
    let _ = writeln!(page, "| {} |\n|{}", header.join(" | "), "---|".repeat(header.len()));
    for row in rows {
        let _ = writeln!(page, "| {} |", row.join(" | "));
    }
}
