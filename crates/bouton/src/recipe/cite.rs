//! Which publications a recipe rests on.

use super::{Recipe, inspect, variant_name};
use crate::Cite;
use crate::network::Carries;
use crate::{Error, Result};

/// The one list of publications, in BibTeX.
const BIBLIOGRAPHY: &str = include_str!("../../data/references.bib");

/// A publication and what a recipe takes from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its key in the bibliography.
    pub key: &'static str,
    /// What it is cited for; empty if it stands in the bibliography only.
    pub reasons: Vec<String>,
    /// Its BibTeX entry.
    pub bibtex: &'static str,
}

/// Every publication that bouton knows, in the order of the bibliography.
pub fn bibliography() -> Vec<Reference> {
    let entries = BIBLIOGRAPHY.split("\n\n").map(str::trim).filter(|entry| !entry.is_empty());
    let key = |entry: &'static str| entry.split(['{', ',']).nth(1).unwrap_or_default();
    entries.map(|bibtex| Reference { key: key(bibtex), reasons: Vec::new(), bibtex }).collect()
}

impl Reference {
    /// Its title.
    pub fn title(&self) -> String {
        let line = self.bibtex.lines().find(|line| line.trim_start().starts_with("title"));
        line.and_then(|line| line.split_once('='))
            .map_or_else(String::new, |(_, title)| title.trim().trim_end_matches(',').replace(['{', '}'], ""))
    }
}

impl Recipe {
    /// The publications behind this recipe: bouton, its methods, its data and its own `cite` list.
    ///
    /// # Errors
    /// [`Error::Config`] if `cite` names a key that the bibliography does not have.
    pub fn citations(&self) -> Result<Vec<Reference>> {
        let mut all = bibliography();
        let cited = self.cite.iter().map(|key| (key.as_str(), "cited by the recipe".to_string()));
        for (key, reason) in methods(self).into_iter().chain(cited.collect::<Vec<_>>()) {
            match all.iter_mut().find(|r| r.key == key) {
                Some(reference) if reference.reasons.contains(&reason) => {}
                Some(reference) => reference.reasons.push(reason),
                None => {
                    let hint = inspect::nearest(key, all.iter().map(|r| r.key));
                    return Err(
                        Error::config(format!("`cite`: no reference is called `{key}`")).with_hint(hint)
                    );
                }
            }
        }
        all.retain(|r| !r.reasons.is_empty());
        Ok(all)
    }
}

/// Keys of the publications that the choices of a recipe come from, with what comes from them.
fn methods(r: &Recipe) -> Vec<(&str, String)> {
    let mut used = vec![("bouton", "the program".to_string())];
    used.extend(cited(r.task.method().cites(), "task", r.task.name()));
    used.extend(cited(r.credit.method().cites(), "credit", &variant_name(&r.credit)));
    used.extend(
        r.neurons().flat_map(|(at, neuron)| cited(neuron.method().cites(), &at, &variant_name(neuron))),
    );
    used.extend(cited(r.encoder.method().cites(), "encoder", &variant_name(&r.encoder)));
    let settles = r.neuron.method().traits().settles();
    used.extend(r.objectives().flat_map(|(at, o)| cited(o.method().cites(settles), &at, &variant_name(o))));
    used.extend(cited(r.solver.method().cites(), "solver", &variant_name(&r.solver)));
    used.extend(r.optims().flat_map(|(at, optim)| cited(optim.method().cites(), &at, &variant_name(optim))));
    used.extend(cited(r.update.cites(), "update", ""));
    used.extend(r.norms().flat_map(|(at, norm)| cited(norm.method().cites(), &at, &variant_name(norm))));
    used.extend(
        r.synapses().flat_map(|(at, synapse)| cited(synapse.method().cites(), &at, &variant_name(synapse))),
    );
    used.extend(cited(r.anchor.method().cites(), "anchor", &variant_name(&r.anchor)));
    used.extend(cited(r.sequence.method().cites(), "sequence", &variant_name(&r.sequence)));
    used.extend(
        r.wirings().flat_map(|(at, wiring)| cited(wiring.method().cites(), &at, &variant_name(wiring))),
    );
    let direct = r.connection.values().any(|c| c.carries == Carries::Errors);
    used.extend(direct.then(|| ("nokland2016", "carries = \"errors\"".into())));
    used
}

/// What a member of an axis rests on.
fn cited(cites: Vec<Cite>, axis: &str, member: &str) -> impl Iterator<Item = (&'static str, String)> + use<> {
    let member = format!("{axis}.{member}");
    cites.into_iter().map(move |cite| (cite.key, cite.what.unwrap_or_else(|| member.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(cite: &str) -> Recipe {
        let text = format!(
            "cite = {cite}\n[task.digits]\nbatch = 1\nepochs = 1\n[network]\nlayers = [64, 8, 10]\n\
             [neuron.settle]\nactivation = \"tanh\"\n[credit.eq-prop]\nbeta = 1\nfree-steps = 1\nnudged-steps = 1\n\
             [optim.adam]\nlr = 1"
        );
        Recipe::parse(&text, "test").unwrap()
    }

    #[test]
    fn every_entry_of_the_bibliography_is_complete() {
        let all = bibliography();
        assert!(all.len() > 15);
        for r in &all {
            assert!(
                r.key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && !r.title().is_empty(),
                "{}",
                r.bibtex
            );
            assert!(r.bibtex.starts_with('@') && r.bibtex.ends_with('}'), "{}", r.bibtex);
            let open = r.bibtex.matches('{').count();
            assert_eq!(open, r.bibtex.matches('}').count(), "{}", r.key);
        }
    }

    #[test]
    fn a_recipe_cites_what_it_uses_and_nothing_else() {
        let keys = |r: &Recipe| r.citations().unwrap().iter().map(|r| r.key).collect::<Vec<_>>();
        let mut wanted =
            vec!["bouton", "scellier2017", "ernoult2019", "laborieux2021", "kingma2015", "alpaydin1998"];
        assert_eq!(keys(&recipe("[]")), wanted);
        wanted.insert(4, "laborieux2022");
        assert_eq!(keys(&recipe("[\"laborieux2022\", \"ernoult2019\"]")), wanted);
    }

    #[test]
    fn an_unknown_key_is_told_with_the_nearest() {
        let error = recipe("[\"scelier2017\"]").citations().unwrap_err();
        assert_eq!(error.to_string(), "`cite`: no reference is called `scelier2017`");
        assert_eq!(error.hint(), Some("did you mean `scellier2017`?"));
    }

    #[test]
    fn every_member_of_every_axis_has_its_references() {
        for cell in super::super::combinations() {
            cell.recipe.citations().unwrap();
        }
    }
}
