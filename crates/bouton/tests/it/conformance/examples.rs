//! Examples of a member are settings that pass its checks and show every word and every switch that it has.

use bouton::Place;
use bouton::anchor::AnchorSpec;
use bouton::credit::CreditSpec;
use bouton::encoder::EncoderSpec;
use bouton::neuron::NeuronSpec;
use bouton::norm::NormSpec;
use bouton::objective::ObjectiveSpec;
use bouton::optim::{OptimSpec, ScheduleSpec};
use bouton::recipe::{describe, variant_name};
use bouton::solver::SolverSpec;
use bouton::synapse::SynapseSpec;
use bouton::task::SequenceSpec;
use bouton::wiring::WiringSpec;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// What stands at `key` in the examples of `member`, as JSON words; switches are "true" and "false".
fn seen<T: Serialize>(all: &[T], member: &str, key: &str) -> BTreeSet<String> {
    let value = |example: &T| serde_json::to_value(example).unwrap()[member][key].clone();
    all.iter()
        .filter(|example| variant_name(*example) == member)
        .map(|example| value(example).to_string().replace('"', ""))
        .collect()
}

/// `refused` tells which settings a member's own check does not let through: those need no example.
fn shows_all<T: Serialize + DeserializeOwned>(axis: &str, all: &[T], refused: &dyn Fn(&T, &Place) -> bool) {
    let members: BTreeSet<String> = all.iter().map(variant_name).collect();
    let listed: BTreeSet<String> = describe::list(axis).unwrap().into_iter().map(|e| e.name).collect();
    assert_eq!(members, listed, "{axis}: every member has an example");
    for member in &members {
        let Ok(page) = describe::explain(&format!("{axis}.{member}")) else { continue };
        for key in page.keys {
            let place = format!("{axis}.{member}.{}", key.name);
            let words = describe::explain(&place).unwrap().choices;
            let found = seen(all, member, &key.name);
            let with = |word: &str| {
                let mut changed =
                    serde_json::to_value(all.iter().find(|e| variant_name(*e) == *member)).unwrap();
                changed[member][&key.name] = word.into();
                serde_json::from_value::<T>(changed).ok()
            };
            // A switch that is left out where it is off, and a word where it is the default, show as null.
            let left_out = |word: &str| {
                let unwritten =
                    |m: T| serde_json::to_value(m).is_ok_and(|m| m[member].get(&key.name).is_none());
                word == "false" || with(word).is_some_and(unwritten)
            };
            // A word with a number shows as {word:number}.
            let has = |word: &str| {
                let with_number = found.iter().any(|f| f.starts_with(&format!("{{{word}:")));
                found.contains(word) || with_number || found.contains("null") && left_out(word)
            };
            let possible = |word: &String| {
                let at = Place { table: format!("{axis}.{member}"), connections: 2 };
                with(word).is_none_or(|member| !refused(&member, &at))
            };
            let missing: Vec<_> =
                words.into_iter().map(|w| w.name).filter(|w| !has(w) && possible(w)).collect();
            assert!(missing.is_empty(), "{place}: no example has {missing:?}");
            if key.value == "true or false" {
                assert!(has("true") && has("false"), "{place}: examples have {found:?}");
            }
        }
    }
}

#[test]
fn examples_show_every_word_and_every_switch() {
    shows_all("neuron", &NeuronSpec::all(), &|spec, at| spec.method().check(at, 1.0).is_err());
    shows_all("credit", &CreditSpec::all(), &|spec, at| spec.method().check(at).is_err());
    shows_all("objective", &ObjectiveSpec::all(), &|_, _| false);
    shows_all("synapse", &SynapseSpec::all(), &|spec, at| spec.method().check(at).is_err());
    shows_all("optim", &OptimSpec::all(), &|spec, at| spec.method().check(at).is_err());
    shows_all("solver", &SolverSpec::all(), &|_, _| false);
    shows_all("anchor", &AnchorSpec::all(), &|_, _| false);
    shows_all("schedule", &ScheduleSpec::all(), &|_, _| false);
    shows_all("wiring", &WiringSpec::all(), &|_, _| false);
    shows_all("sequence", &SequenceSpec::all(), &|_, _| false);
    shows_all("norm", &NormSpec::all(), &|_, _| false);
    shows_all("encoder", &EncoderSpec::all(), &|_, _| false);
}

#[test]
fn examples_pass_their_own_checks_and_cite_what_is_known() {
    let known: BTreeSet<&str> = bouton::recipe::bibliography().iter().map(|r| r.key).collect();
    let place = |axis: &str, member: String| Place { table: format!("{axis}.{member}"), connections: 2 };
    let mut cites = Vec::new();
    for spec in NeuronSpec::all() {
        spec.method().check(&place("neuron", variant_name(&spec)), 1.0).unwrap();
        cites.extend(spec.method().cites());
    }
    for spec in CreditSpec::all() {
        spec.method().check(&place("credit", variant_name(&spec))).unwrap();
        cites.extend(spec.method().cites());
    }
    for spec in SynapseSpec::all() {
        spec.method().check(&place("synapse", variant_name(&spec))).unwrap();
        cites.extend(spec.method().cites());
    }
    for spec in OptimSpec::all() {
        spec.method().check(&place("optim", variant_name(&spec))).unwrap();
        cites.extend(spec.method().cites());
    }
    cites.extend(SequenceSpec::all().iter().flat_map(|spec| spec.method().cites()));
    cites.extend(ObjectiveSpec::all().iter().flat_map(|spec| spec.method().cites(true)));
    cites.extend(SolverSpec::all().iter().flat_map(|spec| spec.method().cites()));
    cites.extend(AnchorSpec::all().iter().flat_map(|spec| spec.method().cites()));
    cites.extend(EncoderSpec::all().iter().flat_map(|spec| spec.method().cites()));
    cites.extend(NormSpec::all().iter().flat_map(|spec| spec.method().cites()));
    cites.extend(WiringSpec::all().iter().flat_map(|spec| spec.method().cites()));
    for cite in cites {
        assert!(known.contains(cite.key), "no publication `{}`", cite.key);
    }
}
