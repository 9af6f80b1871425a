//! What recipes, runs and data have to offer for an argument, by its name in the grammar.

use super::engine::{Offer, Place, beginning};
use crate::commands::named;
use crate::selection::overview;
use bouton::analysis::PROPERTIES;
use bouton::claims::papers;
use bouton::objective::METRICS;
use bouton::recipe::describe::{self, Entry};
use bouton::recipe::{Recipe, values};
use bouton::task::{DATA, added};
use bouton::theory::presets;
use bouton::train;
use std::path::{Path, PathBuf};

/// What may stand for the argument `id` at `place`, of what `word` begins; nothing where files are meant.
pub fn of(id: &str, place: &Place<'_>, word: &str) -> Vec<Offer> {
    match id {
        "recipe" if word.starts_with('@') => beginning(word, claims()),
        "recipe" if !word.is_empty() && matches!(place.verbs[..], ["check" | "cite"]) => runs(place, word),
        "run" | "runs" | "first" | "second" | "from" | "weights" => runs(place, word),
        "overrides" | "keys" => overrides(place, word),
        "filters" => filters(word),
        "metric" => beginning(word, metrics()),
        "by" | "x" => differing(place, word, ""),
        "conditions" => differing(place, word, "="),
        "place" => places(word),
        "paper" => beginning(word, papers().iter().map(|p| (p.slug.clone(), p.title.clone()))),
        "claim" => {
            let of = |slug: &&str| papers().iter().find(|paper| paper.slug == **slug);
            let claims = place.words.first().and_then(of).into_iter().flat_map(|paper| &paper.claims);
            beginning(word, claims.map(|claim| (claim.id.clone(), claim.about.clone())))
        }
        "device" => beginning(word, presets().into_iter().map(|p| (p.name, p.citation))),
        "name" | "names" if place.verbs.first() == Some(&"data") => sets(place, word),
        _ => Vec::new(),
    }
}

fn folder(place: &Place<'_>, option: &str) -> Option<PathBuf> {
    place.options.get(option).map(PathBuf::from)
}

/// Runs by their names, the newest first, and `last`.
fn runs(place: &Place<'_>, word: &str) -> Vec<Offer> {
    let out = folder(place, "out").unwrap_or("runs".into());
    let runs = overview(&out).map(|all| all.runs).unwrap_or_default();
    let last = runs.last().map(|run| ("last".to_owned(), run.folder()));
    let names = runs.iter().rev().map(|run| (run.folder(), run.status.state.to_string()));
    let all: Vec<Offer> = last.into_iter().chain(names).collect();
    let begun = beginning(word, all.iter().cloned());
    // Part of a name is a name.
    if begun.is_empty() { all.into_iter().filter(|(name, _)| name.contains(word)).collect() } else { begun }
}

/// Keys in which the runs differ, each with `end` behind it.
fn differing(place: &Place<'_>, word: &str, end: &str) -> Vec<Offer> {
    let out = folder(place, "out").unwrap_or("runs".into());
    let runs = overview(&out).map(|all| all.runs).unwrap_or_default();
    let keys = train::overview::differing(&runs.iter().collect::<Vec<_>>());
    beginning(word, keys.into_iter().map(|key| (format!("{key}{end}"), String::new())))
}

fn metrics() -> impl Iterator<Item = Offer> {
    METRICS.iter().map(|metric| (metric.name.into(), metric.about.into()))
}

fn claims() -> impl Iterator<Item = Offer> {
    let of = |paper: &'static bouton::claims::Paper| {
        paper.claims.iter().map(|claim| (format!("@{}/{}", paper.slug, claim.id), claim.about.clone()))
    };
    papers().iter().flat_map(of)
}

fn sets(place: &Place<'_>, word: &str) -> Vec<Offer> {
    let data = folder(place, "data");
    let own =
        added::all(data.as_deref()).unwrap_or_default().into_iter().map(|(name, _)| (name, String::new()));
    let known = DATA.iter().map(|set| (set.name.into(), set.title.into()));
    match place.verbs.last() {
        Some(&"get") => beginning(word, known),
        Some(&"rm") => beginning(word, own),
        Some(&"verify") => beginning(word, known.chain(own)),
        _ => Vec::new(),
    }
}

/// `axis=member` of the table of combinations.
fn filters(word: &str) -> Vec<Offer> {
    match word.split_once('=') {
        Some((axis, _)) => {
            beginning(word, values(axis).into_iter().map(|v| (format!("{axis}={}", v.name), v.about)))
        }
        None => {
            let axes = describe::axes().into_iter().filter(|axis| *axis != "task");
            beginning(word, axes.map(|axis| (format!("{axis}="), String::new())))
        }
    }
}

/// Overrides of the recipe that stands before: keys from their beginning or by their end, then what may stand behind them.
fn overrides(place: &Place<'_>, word: &str) -> Vec<Offer> {
    let Some((recipe, before)) = place.words.split_first() else { return Vec::new() };
    let data = folder(place, "data");
    let Ok(recipe) = named(Path::new(recipe), data.as_deref()) else { return Vec::new() };
    // `neuron=relu` before it has other keys.
    let recipe = recipe.with_overrides_in(before, data.as_deref()).unwrap_or(recipe);
    match word.split_once('=') {
        Some((key, value)) => behind(&recipe, key, value),
        None => keys(&recipe, word),
    }
}

fn keys(recipe: &Recipe, word: &str) -> Vec<Offer> {
    let all: Vec<Offer> =
        recipe.keys().into_iter().map(|Entry { name, about }| (format!("{name}="), about)).collect();
    let begun = beginning(word, all.iter().cloned());
    let ends = |name: &str| name.match_indices('.').any(|(at, _)| name[at + 1..].starts_with(word));
    if begun.is_empty() { all.into_iter().filter(|(name, _)| ends(name)).collect() } else { begun }
}

/// Words for `key`, the last of several values with commas between them; of a number, what it is now.
fn behind(recipe: &Recipe, key: &str, value: &str) -> Vec<Offer> {
    if !recipe.keys().iter().any(|entry| entry.name == key) {
        return Vec::new();
    }
    let (done, last) = value.rfind(',').map_or(("", value), |at| value.split_at(at + 1));
    let words = values(key).into_iter().map(|v| (v.name, v.about));
    let now = recipe.flat().get(key).filter(|_| value.is_empty()).map(|now| (now.to_string(), "now".into()));
    let offers: Vec<Offer> = beginning(last, words);
    let offers = if offers.is_empty() { now.into_iter().collect() } else { offers };
    offers.into_iter().map(|(word, about)| (format!("{key}={done}{word}"), about)).collect()
}

/// What `bouton explain` knows.
fn places(word: &str) -> Vec<Offer> {
    if let Some((table, _)) = word.rsplit_once('.') {
        let Ok(page) = describe::explain(table) else { return Vec::new() };
        let keys = page.keys.into_iter().map(|key| (key.name, key.about));
        let all = page.choices.into_iter().map(|choice| (choice.name, choice.about)).chain(keys);
        return beginning(word, all.map(|(name, about)| (format!("{table}.{name}"), about)));
    }
    let axes = describe::axes();
    let members = axes.iter().flat_map(|axis| describe::list(axis).unwrap_or_default());
    let members = members.map(|entry| (entry.name, entry.about));
    let tables = axes.iter().copied().chain(describe::maps()).chain(["run", "network", "continual"]);
    let properties = PROPERTIES.iter().map(|about| (about.id.into(), about.proves.into()));
    let papers = papers().iter().map(|paper| (paper.slug.clone(), paper.title.clone()));
    let devices = presets().into_iter().map(|preset| (preset.name, preset.citation));
    let tables = tables.map(|name| (name.into(), String::new()));
    let all = tables.chain(members).chain(metrics()).chain(properties).chain(papers).chain(devices);
    beginning(word, all)
}
