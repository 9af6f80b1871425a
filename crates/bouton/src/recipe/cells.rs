//! The table of every combination of neuron, credit, objective and solver, with its verdict.

use super::Recipe;
use super::schema::{Kind, Node};

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
    let mut cells = Vec::new();
    for (neuron, neuron_text) in neurons() {
        for (credit, credit_text) in members("credit") {
            for (objective, objective_text) in members("objective") {
                for (solver, solver_text) in members("solver") {
                    let with = |credit: &str| recipe(&[&neuron_text, credit, &objective_text, &solver_text]);
                    let (mut recipe, mut refusal) = (with(&credit_text), None);
                    if let Err(error) = recipe.check() {
                        // A rule that takes sweeps or steps of time, as it is told.
                        let swept = member("credit", credit)
                            .field("steps")
                            .map(|_| with(&format!("{credit_text}steps = 3\n")));
                        match swept.filter(|recipe| !credit_text.contains("steps") && recipe.check().is_ok())
                        {
                            Some(swept) => recipe = swept,
                            None => refusal = Some(error),
                        }
                    }
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

fn choice(axis: &str) -> Vec<super::schema::Member> {
    match Node::root().field(axis).map(Node::kind) {
        Some(Kind::Choice(members)) => members,
        _ => Vec::new(),
    }
}

fn member(axis: &str, name: &str) -> Node {
    choice(axis).into_iter().find(|m| m.name == name).and_then(|m| m.table).unwrap_or(Node::root())
}

/// Names of an axis with a TOML table each, whose required keys have small values.
fn members(axis: &str) -> Vec<(&'static str, String)> {
    let text = |name: &str, node: Node| {
        let Kind::Table(fields) = node.kind() else { return String::new() };
        let required = fields.into_iter().filter(|f| node.requires(f.0)).map(|(key, field)| {
            let value = if matches!(field.kind(), Kind::Whole) { "3" } else { "0.5" };
            format!("{key} = {value}\n")
        });
        format!("[{axis}.{name}]\n{}", required.collect::<String>())
    };
    choice(axis).into_iter().filter_map(|m| Some((m.name, text(m.name, m.table?)))).collect()
}

fn recipe(parts: &[&str]) -> Recipe {
    let base = "[network]\nlayers = [4, 6, 3]\n[optim.sgd]\nlr = 0.1\n[task.synthetic]\nshape = [1, 2, 2]\n\
                classes = 3\ntrain = 4\ntest = 4\nbatch = 2\nepochs = 1\n";
    let text = format!("{base}{}", parts.concat());
    Recipe::parse(&text, "combination").expect("required keys of the axes are numbers")
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
