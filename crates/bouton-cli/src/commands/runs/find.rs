//! The runs that words on the command line mean.

use crate::selection::overview;
use bouton::train::{Entry, RunDir};
use bouton::{Error, Result};
use std::path::Path;

/// The run that `name` means: a folder, `last`, or part of a name of exactly one run in `out`.
pub fn find(out: &Path, name: &str) -> Result<RunDir> {
    part(out, name)?.ok_or_else(|| none(out, name))
}

/// As [`find`]; none if no run fits.
pub fn part(out: &Path, name: &str) -> Result<Option<RunDir>> {
    if let Ok(run) = RunDir::open(name) {
        return Ok(Some(run));
    }
    let runs = overview(out)?.runs;
    let mut fitting: Vec<_> = match name {
        "last" => runs.last().into_iter().collect(),
        _ => runs.iter().filter(|run| run.folder().contains(name)).collect(),
    };
    match (fitting.pop(), fitting.len()) {
        (Some(only), 0) => Ok(Some(only.run())),
        (Some(_), others) => {
            Err(Error::config(format!("`{name}` fits {} runs in {}", others + 1, out.display()))
                .with_hint(format!("name more of the folder, or `last`; '*{name}*' means all of them")))
        }
        (None, _) => Ok(None),
    }
}

/// As [`find`] for each of `names`, of which one with `*` or `?` means every run whose whole name fits.
pub fn find_all(out: &Path, names: &[String]) -> Result<Vec<RunDir>> {
    let mut found: Vec<RunDir> = Vec::new();
    for name in names {
        let runs = match is_pattern(name) {
            true => fitting(out, name)?.iter().map(Entry::run).collect(),
            false => vec![find(out, name)?],
        };
        for run in runs {
            if !found.contains(&run) {
                found.push(run);
            }
        }
    }
    Ok(found)
}

fn fitting(out: &Path, pattern: &str) -> Result<Vec<Entry>> {
    let signs: Vec<char> = pattern.chars().collect();
    let mut runs = overview(out)?.runs;
    runs.retain(|run| fits(&signs, &run.folder().chars().collect::<Vec<_>>()));
    if runs.is_empty() { Err(none(out, pattern)) } else { Ok(runs) }
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

/// Whether `name` is `pattern`, where `*` is any text and `?` any character.
fn fits(pattern: &[char], name: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ['*', '*', rest @ ..] => fits(&[&['*'], rest].concat(), name),
        ['*', rest @ ..] => (0..=name.len()).any(|skipped| fits(rest, &name[skipped..])),
        [sign, rest @ ..] => {
            name.first().is_some_and(|first| *sign == '?' || sign == first) && fits(rest, &name[1..])
        }
    }
}

fn none(out: &Path, name: &str) -> Error {
    Error::config(format!("no run in {} fits `{name}`", out.display()))
        .with_hint("`bouton runs ls` lists the runs; --out names another folder")
}

#[cfg(test)]
mod tests {
    #[test]
    fn stars_are_any_text() {
        let fits = |pattern: &str, name: &str| {
            super::fits(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
        };
        assert!(fits("*", "") && fits("a*", "a") && fits("*_s?_*", "2026_ep_s1_3f") && fits("a**b", "acb"));
        assert!(!fits("a*", "ba") && !fits("?", "") && !fits("*_s?_*", "ep_s12_3f") && !fits("a", "ab"));
    }
}
