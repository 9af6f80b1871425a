//! Which publications a recipe rests on.

use super::{Recipe, inspect, tag};
use crate::anchor::AnchorSpec;
use crate::credit::{CreditSpec, EqProp, Nudge, Start};
use crate::neuron::{Activation, Dynamics, NeuronSpec, Settle};
use crate::norm::NormSpec;
use crate::objective::ObjectiveSpec;
use crate::optim::OptimSpec;
use crate::solver::SolverSpec;
use crate::synapse::SynapseSpec;
use crate::task::{SequenceSpec, TaskSpec};
use crate::wiring::{FeedbackSpec, Init};
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
    used.extend(data(&r.task).map(|key| (key, format!("task.{}", tag(&r.task)))));
    used.extend(credit(&r.credit).into_iter().map(|key| (key, format!("credit.{}", tag(&r.credit)))));
    if let CreditSpec::EqProp(c) = &r.credit {
        used.extend(eq_prop(c));
    }
    if let NeuronSpec::Settle(s) = &r.neuron {
        used.extend(settle(s));
        if matches!(r.objective, ObjectiveSpec::SoftmaxCrossEntropy(_)) {
            used.push(("laborieux2021", "softmax readout of a settling network".into()));
        }
    }
    if !matches!(r.solver, SolverSpec::Synchronous(_)) {
        used.push(("scellier2023", "even-odd sweeps".into()));
    }
    if matches!(r.solver, SolverSpec::Anderson(_)) {
        used.push(("anderson1965", "solver.anderson".into()));
    }
    used.extend(optim(&r.optim).map(|key| (key, format!("optim.{}", tag(&r.optim)))));
    used.extend(norm(&r.norm).map(|key| (key, format!("norm.{}", tag(&r.norm)))));
    used.extend(unit(&r.neuron).map(|key| (key, format!("neuron.{}", tag(&r.neuron)))));
    used.extend(synapse(&r.synapse).map(|key| (key, format!("synapse.{}", tag(&r.synapse)))));
    used.extend(anchor(&r.anchor).map(|key| (key, format!("anchor.{}", tag(&r.anchor)))));
    if !matches!(r.sequence, SequenceSpec::Single | SequenceSpec::Subsets(_)) {
        used.push(("vandeven2019", "scenarios of continual learning".into()));
    }
    let dense = r.wiring.weights();
    if dense.init == Init::GlorotUniform {
        used.push(("glorot2010", "init = \"glorot-uniform\"".into()));
    }
    if dense.feedback == FeedbackSpec::KolenPollack {
        used.push(("kolen1994", "feedback = \"kolen-pollack\"".into()));
    }
    if dense.feedback == FeedbackSpec::VectorField {
        used.push(("laborieux2021", "feedback = \"vector-field\"".into()));
    }
    if dense.homeostasis > 0.0 {
        used.push(("laborieux2024", "homeostasis".into()));
    }
    used
}

fn data(task: &TaskSpec) -> Option<&'static str> {
    match task {
        TaskSpec::FashionMini(_) | TaskSpec::FashionMnist(_) => Some("xiao2017"),
        TaskSpec::Mnist(_) => Some("lecun1998"),
        TaskSpec::Kmnist(_) => Some("clanuwat2018"),
        TaskSpec::Digits(_) => Some("alpaydin1998"),
        TaskSpec::Cifar10(_) | TaskSpec::Cifar10JpegQ75(_) | TaskSpec::Cifar100(_) => Some("krizhevsky2009"),
        TaskSpec::Svhn(_) => Some("netzer2011"),
        TaskSpec::Stl10(_) => Some("coates2011"),
        TaskSpec::ImageNet32(_) => Some("chrabaszcz2017"),
        TaskSpec::Synthetic(_) => None,
    }
}

fn optim(optim: &OptimSpec) -> Option<&'static str> {
    match optim {
        OptimSpec::Sgd(_) => None,
        OptimSpec::Adam(_) => Some("kingma2015"),
        OptimSpec::AdamW(_) => Some("loshchilov2019"),
    }
}

fn norm(norm: &NormSpec) -> Option<&'static str> {
    match norm {
        NormSpec::None => None,
        NormSpec::Batch(_) => Some("ioffe2015"),
        NormSpec::Layer(_) => Some("ba2016"),
    }
}

fn unit(neuron: &NeuronSpec) -> Option<&'static str> {
    match neuron {
        NeuronSpec::Sign(_) => Some("courbariaux2016"),
        NeuronSpec::Gate(_) => Some("bimu"),
        NeuronSpec::Settle(_) | NeuronSpec::Relu(_) => None,
    }
}

fn synapse(synapse: &SynapseSpec) -> Option<&'static str> {
    match synapse {
        SynapseSpec::Plain(_) => None,
        SynapseSpec::Binary(_) => Some("courbariaux2016"),
        SynapseSpec::Metaplastic(_) | SynapseSpec::BinaryBeakers(_) => Some("laborieux2021-metaplasticity"),
        SynapseSpec::Bop(_) => Some("helwegen2019"),
        SynapseSpec::Beakers(_) => Some("benna2016"),
        SynapseSpec::Cascade(_) => Some("fusi2005"),
        SynapseSpec::BayesBiNn(_) => Some("meng2020"),
        SynapseSpec::BiMu(_) => Some("bimu"),
        SynapseSpec::Mesu(_) => Some("bonnet2025"),
        SynapseSpec::Rram(_) => Some("majumdar2021"),
        SynapseSpec::SoftBounds(_) => Some("gong2018"),
    }
}

fn anchor(anchor: &AnchorSpec) -> Option<&'static str> {
    match anchor {
        AnchorSpec::None => None,
        AnchorSpec::Ewc(_) => Some("kirkpatrick2017"),
        AnchorSpec::OnlineEwc(_) => Some("schwarz2018"),
        AnchorSpec::Si(_) => Some("zenke2017"),
        AnchorSpec::Mas(_) => Some("aljundi2018"),
    }
}

fn credit(credit: &CreditSpec) -> Vec<&'static str> {
    match credit {
        CreditSpec::Backprop(_) => vec!["rumelhart1986"],
        CreditSpec::Bptt(_) => vec!["werbos1990"],
        CreditSpec::RecurrentBackprop(_) => vec!["almeida1987", "pineda1987"],
        CreditSpec::EqProp(_) => vec!["scellier2017"],
        CreditSpec::HolomorphicEqProp(_) => vec!["laborieux2022"],
        CreditSpec::ContinualEqProp(_) => vec!["ernoult2020"],
        CreditSpec::CoupledLearning(_) => vec!["stern2021"],
        CreditSpec::ContrastiveLearning(_) => vec!["movellan1991"],
    }
}

fn eq_prop(c: &EqProp) -> Vec<(&'static str, String)> {
    let nudge = match c.nudge {
        Nudge::Positive | Nudge::RandomSign => "scellier2017",
        Nudge::Negative => "scellier2023",
        Nudge::Symmetric => "laborieux2021",
    };
    let start = match c.start {
        Start::Zero => None,
        Start::PreviousBatch => Some("scellier2023"),
        Start::Persistent => Some("scellier2017"),
    };
    let mut used = vec![(nudge, format!("nudge = \"{}\"", tag(&c.nudge)))];
    used.extend(start.map(|key| (key, format!("start = \"{}\"", tag(&c.start)))));
    used
}

fn settle(s: &Settle) -> Vec<(&'static str, String)> {
    let dynamics = match s.dynamics {
        Dynamics::Prototypical => "ernoult2019",
        Dynamics::Energy => "scellier2017",
    };
    let mut used = vec![(dynamics, format!("dynamics = \"{}\"", tag(&s.dynamics)))];
    let mut activations = vec![s.activation];
    activations.extend(s.output.filter(|output| *output != s.activation));
    for activation in activations {
        let key = match activation {
            Activation::HardSigmoid => "scellier2017",
            Activation::HalfHardSigmoid => "laborieux2021",
            Activation::ShiftedSigmoid => "ernoult2019",
            Activation::DSilu => "laborieux2022",
            Activation::SiluStep => "scellier2023",
            Activation::Sigmoid | Activation::Tanh | Activation::Relu6 | Activation::Linear => continue,
        };
        used.push((key, format!("activation \"{}\"", tag(&activation))));
    }
    used
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
