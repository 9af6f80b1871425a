//! Learning from rewards: right on average, whatever reward is usual, and with a memory of it.

use super::{LEAKY, batch, recipe, smooth};
use crate::common::central_differences;
use bouton::credit::{Batch, Credit, GradCollector};
use bouton::network::Network;
use bouton::objective::Target;
use bouton::recipe::Recipe;
use bouton::rng::Key;

fn rewarded() -> Recipe {
    let units = smooth("lif", "surrogate = { sigmoid = 3.0 }");
    recipe("[4, 3, 3]", &format!("{units}{LEAKY}[credit.three-factor]\nbaseline = 0.75\n"))
}

fn rule(recipe: &Recipe, network: &Network, usual: f64) -> Box<dyn Credit> {
    let mut rule = recipe.credit.build(&recipe.solver, network, 1).unwrap();
    rule.visit(&mut |_, mat| {
        mat.view_mut().fill(usual);
        Ok(())
    })
    .unwrap();
    rule
}

fn usual(rule: &mut dyn Credit) -> f64 {
    let mut seen = 0.0;
    rule.visit(&mut |name, mat| {
        assert_eq!(name, "credit.usual-reward");
        seen = mat.get(0, 0);
        Ok(())
    })
    .unwrap();
    seen
}

/// The mean probability of a wrong answer.
fn wrong(recipe: &Recipe, network: &Network, samples: &Batch) -> f64 {
    let objective = recipe.objective.build();
    let free = rule(recipe, network, 0.0).free(network, samples, &*objective).unwrap();
    let mut p = free.out[network.output()].clone();
    objective.to_probabilities(p.view_mut(), &network.objective_values());
    let Target::Classes(classes) = &samples.target else { unreachable!() };
    let right = |(r, class): (usize, &u16)| p.get(r, usize::from(*class));
    1.0 - classes.iter().enumerate().map(right).sum::<f64>() / samples.len() as f64
}

#[test]
fn on_average_it_is_the_gradient_of_the_expected_reward_whatever_is_usual() {
    let (recipe, samples) = (rewarded(), batch(2));
    let mut network = recipe.build().unwrap();
    let exact = central_differences(&mut network, &mut |network| wrong(&recipe, network, &samples));
    let objective = recipe.objective.build();
    let mut spreads = Vec::new();
    for usual in [0.0, 1.0 / 3.0, 5.0] {
        let n = 600;
        let mut draw = |k: u64| {
            let mut sink = GradCollector::default();
            let mut rule = rule(&recipe, &network, usual);
            rule.learn(&mut network, &samples, &*objective, &mut sink, &Key::new(k)).unwrap();
            sink.flat(&network)
        };
        let draws: Vec<Vec<f64>> = (0..n).map(&mut draw).collect();
        let square = |group: &[Vec<f64>]| -> f64 {
            let mean = |i: usize| group.iter().map(|g| g[i]).sum::<f64>() / group.len() as f64;
            exact.iter().enumerate().map(|(i, wanted)| (mean(i) - wanted).powi(2)).sum()
        };
        let spread = draws.iter().map(|g| square(std::slice::from_ref(g))).sum::<f64>() / n as f64;
        let ratio = square(&draws) / (spread / n as f64);
        assert!(ratio < 3.0, "{usual}: {ratio}");
        spreads.push(spread);
    }
    assert!(
        spreads[1] < spreads[0] && spreads[0] < spreads[2],
        "a fitting baseline takes noise away: {spreads:?}"
    );
}

#[test]
fn the_usual_reward_follows_rewards_and_goes_with_the_rule() {
    let (recipe, samples) = (rewarded(), batch(8));
    let mut network = recipe.build().unwrap();
    let objective = recipe.objective.build();
    let learn = |rule: &mut dyn Credit, network: &mut Network, k: u64| {
        let mut sink = GradCollector::default();
        let step = rule.learn(network, &samples, &*objective, &mut sink, &Key::new(k)).unwrap();
        (step.rewards / 8.0, sink.flat(network))
    };
    let mut first = rule(&recipe, &network, 0.0);
    let (mean, _) = learn(&mut *first, &mut network, 1);
    assert!(mean > 0.0 && mean < 1.0, "{mean}");
    assert_eq!(usual(&mut *first), 0.25 * mean);
    let (second, g) = learn(&mut *first, &mut network, 2);
    assert!((usual(&mut *first) - (0.75 * 0.25 * mean + 0.25 * second)).abs() < 1e-15);
    // Another rule that knows what was usual goes on with the same numbers; one that does not, does not.
    let mut resumed = rule(&recipe, &network, 0.25 * mean);
    assert_eq!(learn(&mut *resumed, &mut network, 2).1, g);
    assert_ne!(learn(&mut *rule(&recipe, &network, 0.0), &mut network, 2).1, g);
    // A test draws nothing.
    let before = usual(&mut *first);
    let step = first.evaluate(&network, &samples, &*objective).unwrap();
    assert!(step.rewards == 0.0 && usual(&mut *first) == before);
}

#[test]
fn every_sample_draws_an_answer_of_its_own() {
    let (recipe, one) = (rewarded(), batch(1));
    let same = Batch { ids: (0..16).collect(), ..one.take(&[0; 16]) };
    let mut network = recipe.build().unwrap();
    let objective = recipe.objective.build();
    let mut sink = GradCollector::default();
    let step = rule(&recipe, &network, 0.0)
        .learn(&mut network, &same, &*objective, &mut sink, &Key::new(1))
        .unwrap();
    assert!(step.rewards > 0.0 && step.rewards < 16.0, "{}", step.rewards);
}

#[test]
fn it_wants_answers_with_probabilities() {
    let text = rewarded().to_toml().replace("softmax-cross-entropy", "squared-error");
    let error = Recipe::parse(&text, "test").and_then(|r| r.check()).unwrap_err();
    assert!(
        error.to_string().contains("three-factor") && error.hint().unwrap().contains("softmax"),
        "{error}"
    );
}
