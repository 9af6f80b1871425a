//! Every number of a recipe, read off the schema, at values nobody means: it has bounds, and nothing panics or hangs.

use super::Recipe;
use super::schema::{Kind, Node};
use crate::train::Trainer;
use std::panic::catch_unwind;

/// One way to a number: the members, alternatives and keys that lead there.
type Way = Vec<&'static str>;

/// Every number below `node`. Members of a choice that share their keys, as image sets do, are visited once.
fn numbers(node: Node, way: &Way, found: &mut Vec<(Way, Node)>) {
    let with = |step| way.iter().copied().chain([step]).collect::<Way>();
    match node.kind() {
        Kind::Whole | Kind::Number => found.push((way.clone(), node)),
        Kind::Table(fields) => fields.into_iter().for_each(|(key, n)| numbers(n, &with(key), found)),
        // Names that the recipes below have.
        Kind::Map(entry) => {
            let name = if way[0] == "population" { "hidden1" } else { "input-hidden1" };
            numbers(entry, &with(name), found);
        }
        Kind::Choice(members) => {
            let mut seen = Vec::new();
            for (name, table) in members.iter().filter_map(|m| Some((m.name, m.table?))) {
                if !seen.contains(&table.type_doc()) || table.type_doc().is_empty() {
                    seen.push(table.type_doc());
                    numbers(table, &with(name), found);
                }
            }
        }
        Kind::Either(any) => {
            any.into_iter().zip(["0", "1", "2", "3"]).for_each(|(n, i)| numbers(n, &with(i), found));
        }
        Kind::List(item, _) => numbers(item, &with("items"), found),
        Kind::Text | Kind::Flag => {}
    }
}

fn all_numbers() -> Vec<(Way, Node)> {
    let mut found = Vec::new();
    numbers(Node::root(), &Vec::new(), &mut found);
    found
}

/// The smallest TOML of `node` that has `value` at the end of `way`; without a way, the smallest there is.
fn toml(node: Node, way: Option<&[&str]>, value: &str) -> String {
    let step = way.and_then(|w| w.first().copied());
    let rest = way.and_then(|w| w.get(1..));
    match node.kind() {
        Kind::Whole | Kind::Number if way.is_some() => value.to_owned(),
        Kind::Whole => "3".into(),
        Kind::Number => "0.5".into(),
        Kind::Text => "\"\"".into(),
        Kind::Flag => "true".into(),
        Kind::Table(fields) => {
            let needed = fields.into_iter().filter(|(key, _)| step == Some(key) || node.requires(key));
            let entry = |(key, n)| format!("{key} = {}", toml(n, rest.filter(|_| step == Some(key)), value));
            format!("{{ {} }}", needed.map(entry).collect::<Vec<_>>().join(", "))
        }
        Kind::Map(entry) => {
            step.map_or("{}".into(), |name| format!("{{ {name} = {} }}", toml(entry, rest, value)))
        }
        Kind::Choice(members) => {
            let member = members.iter().find(|m| step.is_none_or(|name| m.name == name)).unwrap();
            match member.table {
                Some(table) => format!("{{ {} = {} }}", member.name, toml(table, rest, value)),
                None => format!("\"{}\"", member.name),
            }
        }
        Kind::Either(any) => toml(any[step.map_or(0, |i| i.parse().unwrap())], rest, value),
        Kind::List(item, len) => {
            format!("[{}]", vec![toml(item, rest, value); len.unwrap_or(1)].join(", "))
        }
    }
}

/// The override that writes `value` at the end of `way`, and all that has to stand beside it.
fn override_of(way: &Way, value: &str) -> String {
    let field = Node::root().field(way[0]).unwrap();
    format!("{}={}", way[0], toml(field, Some(&way[1..]), value))
}

/// Layers that chain, with a number V in every place.
const LAYERS: [&str; 7] = [
    "[{ image = [1, V, V] }, 3, 2]",
    "[4, V, 2]",
    "[{ image = [1, 2, 2] }, { filters = V, kernel = 1 }, 2]",
    "[{ image = [1, 2, 2] }, { filters = 2, kernel = V }, 2]",
    "[{ image = [1, 2, 2] }, { filters = 2, kernel = 1, padding = V }, 2]",
    "[{ image = [1, 2, 2] }, { filters = 2, kernel = 1, stride = V }, 2]",
    "[{ image = [1, 2, 2] }, { filters = 2, kernel = 1, pool = { average = V } }, 2]",
];

/// Recipes that settle, and that do not.
fn bases() -> [Recipe; 2] {
    let rest = "[task.synthetic]\nshape = [1, 2, 2]\nclasses = 2\ntrain = 4\ntest = 4\nbatch = 2\nepochs = 1\n\
                [network]\nlayers = [4, 3, 2]\n[optim.sgd]\nlr = 0.1\n";
    [
        "[neuron.settle]\n[credit.eq-prop]\nbeta = 0.5\nfree-steps = 3\nnudged-steps = 2\n",
        "[neuron.relu]\n[objective.softmax-cross-entropy]\n[credit.backprop]\n[wiring.conv]\n",
    ]
    .map(|text| Recipe::parse(&format!("{rest}{text}"), "base").unwrap())
}

/// Whether one of the recipes passes its checks; if it is small, its smoke run has learned from a batch then.
fn tried(bases: &[Recipe], text: &str) -> bool {
    // Bounds are those of the key, whatever the recipe.
    let mut with = bases.iter().map_while(|base| base.with_overrides(&[text]).ok());
    let Some(recipe) = with.find(|recipe| recipe.check().is_ok()) else { return false };
    recipe.memory().unwrap().total();
    let small = recipe.smoke();
    let few_draws = recipe.run.train_draws.is_none_or(|n| n < 9);
    if few_draws && small.check().is_ok() && small.memory().unwrap().total() < 1 << 20 {
        let _ = Trainer::new(&small, None).and_then(|mut trainer| trainer.learn());
    }
    true
}

#[test]
fn every_number_has_two_bounds_and_a_hint() {
    let all = all_numbers();
    assert!(all.len() > 120, "{}", all.len());
    for (way, node) in all {
        let hint = node.bounds().and_then(|bounds| bounds.hint);
        assert!(hint.is_some(), "{}: give it minimum, maximum and x-hint", way.join("."));
    }
}

#[test]
fn no_number_makes_a_recipe_panic() {
    let values = ["0", "1", "-1", "9223372036854775807", "nan", "inf", "1e308", "1e-30"];
    let (all, bases) = (all_numbers(), bases());
    let texts = values.iter().flat_map(|value| {
        let layers = LAYERS.map(|text| format!("network.layers={}", text.replace('V', value)));
        all.iter().map(|(way, _)| override_of(way, value)).chain(layers)
    });
    let ends = all.iter().flat_map(|(way, node)| {
        node.bounds().into_iter().flat_map(|bounds| bounds.ends()).map(|end| override_of(way, &end))
    });
    let (mut accepted, mut panics) = (0, Vec::new());
    for text in texts.chain(ends) {
        match catch_unwind(|| tried(&bases, &text)) {
            Ok(fine) => accepted += usize::from(fine),
            Err(_) => panics.push(text),
        }
    }
    assert!(panics.is_empty(), "{panics:#?}");
    assert!(accepted > 150, "{accepted}: most were refused for another reason");
}
