//! The table of every combination of neuron, credit, objective and solver, with its verdict.

use super::schema::{Kind, Member, Node};
use super::{Recipe, describe, nearest};
use crate::network::Layer;
use crate::{Error, Result};

/// One combination and its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The neuron, with its dynamics and the position of the nudge if it settles: `settle/prototypical/inside`.
    pub neuron: String,
    /// The credit rule.
    pub credit: String,
    /// The objective.
    pub objective: String,
    /// The solver.
    pub solver: String,
    /// A small recipe of this combination, on made-up data.
    pub recipe: Recipe,
    /// Why it is refused, and what to use instead; absent if it is accepted.
    pub refusal: Option<(String, String)>,
}

/// Every combination.
pub fn combinations() -> Vec<Cell> {
    table(&[], &|_, _| true)
}

/// The combinations with these members of axes, such as `("synapse", "rram")`; of an axis that the table does not go through, all
/// cells have the member.
///
/// # Errors
/// [`Error::Config`] with the nearest name if there is no such axis or member, or if the axis is the task, which is made up here.
pub fn combinations_with(choices: &[(&str, &str)]) -> Result<Vec<Cell>> {
    let mut everywhere = Vec::new();
    for (i, (axis, name)) in choices.iter().enumerate() {
        if choices[..i].iter().any(|(earlier, _)| earlier == axis) {
            return Err(Error::config(format!("two members of {axis}")).with_hint("name one of each axis"));
        }
        let axes: Vec<_> = describe::axes().into_iter().filter(|axis| *axis != "task").collect();
        if !axes.contains(axis) {
            return Err(Error::config(format!("no axis of the table is called `{axis}`"))
                .with_hint(nearest(axis, axes.into_iter())));
        }
        let members = members(axis);
        let names = neurons().into_iter().map(|(name, _)| name).filter(|_| *axis == "neuron");
        let names: Vec<String> = names.chain(members.iter().map(|(name, _)| (*name).into())).collect();
        if !names.iter().any(|known| known == name) {
            return Err(Error::config(format!("{axis} has no member `{name}`"))
                .with_hint(nearest(name, names.iter().map(String::as_str))));
        }
        let text = members.into_iter().find(|(member, _)| member == name).map(|(_, text)| text);
        everywhere.extend(text.filter(|_| !GONE_THROUGH.contains(axis)));
    }
    let asked = |axis: &str, name: &str| {
        let fits = |wanted: &str| name == wanted || name.split('/').next() == Some(wanted);
        choices.iter().filter(|(of, _)| *of == axis).all(|(_, wanted)| fits(wanted))
    };
    Ok(table(&everywhere, &asked))
}

/// The axes that the table goes through.
const GONE_THROUGH: [&str; 4] = ["neuron", "credit", "objective", "solver"];

/// The cells of which every member is `asked` for, each with `everywhere` in its recipe.
fn table(everywhere: &[String], asked: &dyn Fn(&str, &str) -> bool) -> Vec<Cell> {
    let of = |axis| members(axis).into_iter().filter(move |(name, _)| asked(axis, name));
    let mut cells = Vec::new();
    for (neuron, neuron_text) in neurons().into_iter().filter(|(name, _)| asked("neuron", name)) {
        for (credit, credit_text) in of("credit") {
            for (objective, objective_text) in of("objective") {
                for (solver, solver_text) in of("solver") {
                    let with = |credit: &str| {
                        let parts = [&*neuron_text, credit, &objective_text, &solver_text];
                        recipe(&[&parts[..], &[&everywhere.concat()]].concat())
                    };
                    let (recipe, refusal) = swept(credit, &credit_text, with);
                    cells.push(Cell {
                        neuron: neuron.clone(),
                        credit: credit.into(),
                        objective: objective.into(),
                        solver: solver.into(),
                        refusal: refusal.map(|e| (e.to_string(), e.hint().unwrap_or_default().into())),
                        recipe,
                    });
                }
            }
        }
    }
    cells
}

/// The recipe that `with` makes of a rule's table and why it is refused: with a number of sweeps, if the rule takes sweeps or steps of
/// time, as it is told, and goes with the rest in that way alone.
fn swept(credit: &str, table: &str, with: impl Fn(&str) -> Recipe) -> (Recipe, Option<Error>) {
    let recipe = with(table);
    let Err(error) = recipe.check() else { return (recipe, None) };
    let told = !table.contains("steps") && member("credit", credit).field("steps").is_some();
    match told.then(|| with(&format!("{table}steps = 3\n"))).filter(|recipe| recipe.check().is_ok()) {
        Some(swept) => (swept, None),
        None => (recipe, Some(error)),
    }
}

/// Names and TOML of the neurons: settling ones once per dynamics and position of the nudge.
fn neurons() -> Vec<(String, String)> {
    let words = |node: Node, key| match node.field(key).map(Node::kind) {
        Some(Kind::Choice(words)) => words.into_iter().map(|w| w.name).collect(),
        _ => Vec::new(),
    };
    let mut all = Vec::new();
    for (name, text) in members("neuron") {
        let node = member("neuron", name);
        let (dynamics, nudges) = (words(node, "dynamics"), words(node, "nudge"));
        if dynamics.is_empty() {
            all.push((name.to_string(), text));
            continue;
        }
        for d in dynamics {
            for n in &nudges {
                all.push((format!("{name}/{d}/{n}"), format!("{text}dynamics = \"{d}\"\nnudge = \"{n}\"\n")));
            }
        }
    }
    all
}

fn choice(axis: &str) -> Vec<Member> {
    match Node::root().field(axis).map(Node::kind) {
        Some(Kind::Choice(members)) => members,
        _ => Vec::new(),
    }
}

fn member(axis: &str, name: &str) -> Node {
    choice(axis).into_iter().find(|m| m.name == name).and_then(|m| m.table).unwrap_or(Node::root())
}

/// Names of an axis with a TOML table each, whose required keys have small values; members without settings stand where nothing does.
fn members(axis: &str) -> Vec<(&'static str, String)> {
    let text = |name: &str, node: Node| {
        let Kind::Table(fields) = node.kind() else { return String::new() };
        // Without a scale weights of ±1 are refused for their size, and the samples of the table are no sequences.
        let needed =
            |key: &str| node.requires(key) || key == "scale" || (axis == "encoder" && key == "steps");
        let required = fields.into_iter().filter(|f| needed(f.0));
        let required = required.map(|(key, field)| format!("{key} = {}\n", small(field)));
        format!("[{axis}.{name}]\n{}", required.collect::<String>())
    };
    let text = |m: Member| (m.name, m.table.map_or_else(String::new, |node| text(m.name, node)));
    choice(axis).into_iter().map(text).collect()
}

/// A small value for a key.
fn small(node: Node) -> String {
    match node.kind() {
        Kind::Whole => "3".into(),
        // Of 3 classes or layers, 1 is a share.
        Kind::Either(any) if matches!(any[0].kind(), Kind::Whole) => "1".into(),
        Kind::Either(any) => small(any[0]),
        Kind::List(item, _) => format!("[{}]", small(item)),
        Kind::Text => "\"digits\"".into(),
        Kind::Choice(words) if words[0].table.is_none() => format!("\"{}\"", words[0].name),
        _ => "0.5".into(),
    }
}

fn recipe(parts: &[&str]) -> Recipe {
    let optim =
        if parts.iter().any(|part| part.contains("[optim.")) { "" } else { "[optim.sgd]\nlr = 0.1\n" };
    let base = "[network]\nlayers = [6, 6, 3]\n[task.synthetic]\nshape = [1, 3, 2]\n\
                classes = 3\ntrain = 4\ntest = 4\nbatch = 2\nepochs = 1\n";
    let text = format!("{base}{optim}{}", parts.concat());
    let mut recipe = Recipe::parse(&text, "combination").expect("required keys of the axes are numbers");
    // Encoders may show less at once, and tasks of a sequence tell fewer classes apart.
    let (columns, outputs) = recipe.seen_sides();
    recipe.network.layers = [columns, 6, outputs].map(Layer::Units).into();
    recipe
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn every_refusal_has_a_reason_and_a_hint() {
        for cell in combinations() {
            if let Some((reason, hint)) = cell.refusal {
                assert!(!reason.is_empty() && !hint.is_empty(), "{} {}", cell.neuron, cell.credit);
            } else {
                cell.recipe.check().unwrap();
            }
        }
    }

    #[test]
    fn a_choice_narrows_the_table_and_another_axis_changes_it() {
        let all = combinations();
        let with = |choices: &[(&str, &str)]| combinations_with(choices).unwrap();
        let bptt = with(&[("credit", "bptt"), ("neuron", "settle")]);
        let wanted = |c: &&Cell| c.credit == "bptt" && c.neuron.starts_with("settle/");
        assert_eq!(bptt, all.iter().filter(wanted).cloned().collect::<Vec<_>>());
        assert!(bptt.len() > 4);
        let one = with(&[("neuron", "settle/energy/inside"), ("solver", "even-odd"), ("credit", "eq-prop")]);
        assert_eq!(one.len(), members("objective").len());
        // Weights of ±1 that are moved by the sign of a momentum are not for every rule.
        let accepted = |cells: &[Cell]| cells.iter().filter(|c| c.refusal.is_none()).count();
        let [plain, rram] = ["plain", "rram"].map(|synapse| with(&[("synapse", synapse)]));
        assert_eq!((plain.len(), rram.len()), (all.len(), all.len()));
        assert_eq!(accepted(&plain), accepted(&all));
        assert!(rram.iter().all(|c| c.recipe.to_toml().contains("[synapse.rram")));
        assert!(accepted(&rram) > 0);
        for (axis, name, hint) in [
            ("synaps", "rram", "did you mean `synapse`?"),
            ("synapse", "rrem", "did you mean `rram`?"),
            ("task", "digits", "known are `anchor`"),
        ] {
            let error = combinations_with(&[(axis, name)]).unwrap_err();
            assert!(error.hint().unwrap().starts_with(hint), "{error} {:?}", error.hint());
        }
        assert!(combinations_with(&[("synapse", "plain"), ("synapse", "rram")]).is_err());
    }

    /// Required keys are filled in with numbers that every member can have: what is refused is a combination.
    #[test]
    fn every_member_of_every_axis_can_be_asked_for() {
        for axis in describe::axes().into_iter().filter(|axis| *axis != "task") {
            for (name, _) in members(axis) {
                let mut asked = vec![(axis, name)];
                // Anchors hold what earlier tasks needed.
                asked.extend((axis == "anchor").then_some(("sequence", "permuted")));
                // Units of several ports take no single weights.
                asked.extend((name == "ltc").then_some(("wiring", "conductance")));
                asked.extend((!GONE_THROUGH.contains(&axis)).then_some(("solver", "synchronous")));
                let cells = combinations_with(&asked).unwrap();
                let accepted = cells.iter().any(|c| c.refusal.is_none());
                assert!(accepted || name == "sets", "{axis}.{name}: {:?}", cells[0].refusal);
            }
        }
    }

    /// Accepted cells per neuron and credit, counted by hand from the rules: 3 objectives × 3 solvers at most.
    #[test]
    fn accepted_cells_are_the_intended_ones() {
        let mut accepted: BTreeMap<(String, String), usize> = BTreeMap::new();
        for cell in combinations().into_iter().filter(|c| c.refusal.is_none()) {
            *accepted.entry((cell.neuron, cell.credit)).or_default() += 1;
        }
        let count = |neuron: &str, credit: &str| {
            accepted.get(&(neuron.to_string(), credit.to_string())).copied().unwrap_or(0)
        };
        assert_eq!(count("relu", "backprop"), 3);
        assert_eq!(count("sign", "backprop"), 3);
        assert_eq!(count("sign", "bptt"), 0);
        assert_eq!((count("lif", "bptt"), count("alif", "e-prop"), count("leaky", "bptt")), (3, 3, 3));
        assert_eq!((count("lif", "backprop"), count("lif", "eq-prop"), count("relu", "e-prop")), (0, 0, 0));
        assert_eq!(count("relu", "eq-prop"), 0);
        assert_eq!(count("settle/prototypical/inside", "backprop"), 0);
        // BPTT goes through plain sweeps, which Anderson mixing is not.
        for (credit, solvers) in [("eq-prop", 3), ("bptt", 2), ("recurrent-backprop", 3)] {
            assert_eq!(count("settle/prototypical/inside", credit), 2 * solvers, "{credit}");
            assert_eq!(count("settle/energy/inside", credit), 2, "{credit}");
        }
        assert_eq!(count("settle/prototypical/inside", "continual-eq-prop"), 2);
        assert_eq!(count("settle/prototypical/inside", "coupled-learning"), 3);
        assert_eq!(count("settle/prototypical/inside", "contrastive-learning"), 3);
        assert_eq!(count("settle/prototypical/outside", "eq-prop"), 3);
        assert_eq!(count("settle/prototypical/outside", "continual-eq-prop"), 1);
        assert_eq!(count("settle/prototypical/outside", "bptt"), 0);
        assert_eq!(count("settle/energy/outside", "eq-prop"), 0);
    }
}
