//! The rules of a random hierarchy, and its strings by number.
//!
//! A feature of level l (0: a class) is written as one of m tuples of s features of level l + 1; all tuples of a level are different,
//! so a string has one derivation. A string is a number in [0, n_c m^N), N = (s^L − 1)/(s − 1) the nodes: its digits, from the most
//! significant one on, are the class, then the rule that every node takes, level by level.

use crate::rng::{Key, Stream};
use std::collections::{HashMap, HashSet};

/// Sizes of a random hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Classes n_c.
    pub classes: usize,
    /// Features v of each level below.
    pub features: usize,
    /// Features s that one is written as.
    pub branching: usize,
    /// Tuples m for each feature.
    pub multiplicity: usize,
    /// Levels L.
    pub levels: u32,
}

impl Sizes {
    /// Symbols of a string, s^L; none beyond what can be counted.
    pub fn length(self) -> Option<usize> {
        self.branching.checked_pow(self.levels)
    }

    /// Tuples that there are on a level, v^s.
    pub fn tuples(self) -> Option<usize> {
        self.features.checked_pow(u32::try_from(self.branching).ok()?)
    }

    /// Tuples that the rules of the fullest level need.
    pub fn needed(self) -> usize {
        let most = if self.levels > 1 { self.classes.max(self.features) } else { self.classes };
        self.multiplicity.saturating_mul(most)
    }

    /// Nodes at which a rule is chosen, (s^L − 1)/(s − 1).
    fn nodes(self) -> Option<u32> {
        let of_level = |level| u32::try_from(self.branching.checked_pow(level)?).ok();
        (0..self.levels).try_fold(0_u32, |sum, level| sum.checked_add(of_level(level)?))
    }

    /// Different strings, n_c · m^nodes; none beyond 2^128.
    pub fn strings(self) -> Option<u128> {
        (self.multiplicity as u128).checked_pow(self.nodes()?)?.checked_mul(self.classes as u128)
    }
}

/// The rules of one level: of each feature, its tuples.
type Level = Vec<Vec<Vec<usize>>>;

/// A random hierarchy.
#[derive(Clone, Debug)]
pub struct Grammar {
    /// Its sizes.
    pub sizes: Sizes,
    levels: Vec<Level>,
    /// By level, which feature a tuple is, and by which of its rules.
    parents: Vec<HashMap<Vec<usize>, (usize, usize)>>,
}

impl Grammar {
    /// Draws the rules; the sizes have to make sense, see [`Sizes::tuples`].
    pub fn new(sizes: Sizes, key: &Key) -> Self {
        let level = |l: u32| {
            let from = if l == 0 { sizes.classes } else { sizes.features };
            let mut draws = key.of("rules", u64::from(l)).stream();
            let drawn = distinct(sizes.tuples().unwrap_or(usize::MAX), from * sizes.multiplicity, &mut draws);
            let tuples: Vec<Vec<usize>> = drawn.into_iter().map(|number| digits(number, sizes)).collect();
            tuples.chunks(sizes.multiplicity).map(<[_]>::to_vec).collect::<Level>()
        };
        let levels: Vec<Level> = (0..sizes.levels).map(level).collect();
        let of_level = |level: &Level| {
            let rules = level.iter().enumerate().flat_map(|(feature, tuples)| {
                tuples.iter().enumerate().map(move |(rule, tuple)| (tuple.clone(), (feature, rule)))
            });
            rules.collect()
        };
        Self { sizes, parents: levels.iter().map(of_level).collect(), levels }
    }

    /// The string of this number, and its class.
    pub fn string(&self, mut number: u128) -> (Vec<usize>, usize) {
        let m = self.sizes.multiplicity as u128;
        let mut rules = Vec::new();
        for _ in 0..self.sizes.nodes().unwrap_or(0) {
            rules.push((number % m) as usize);
            number /= m;
        }
        let class = number as usize;
        let mut features = vec![class];
        for level in &self.levels {
            let below = features.iter().flat_map(|&f| level[f][rules.pop().unwrap_or(0)].clone());
            features = below.collect();
        }
        (features, class)
    }

    /// The number of a string and its class; none if no rule leads to it.
    pub fn number(&self, string: &[usize]) -> Option<(u128, usize)> {
        let (m, mut number, mut weight) = (self.sizes.multiplicity as u128, 0_u128, 1_u128);
        let mut features = string.to_vec();
        for parents in self.parents.iter().rev() {
            let above: Option<Vec<_>> =
                features.chunks(self.sizes.branching).map(|tuple| parents.get(tuple).copied()).collect();
            let above = above?;
            for &(_, rule) in above.iter().rev() {
                number += weight * rule as u128;
                // The weight of the class may be the last that fits.
                weight = weight.wrapping_mul(m);
            }
            features = above.into_iter().map(|(feature, _)| feature).collect();
        }
        let [class] = features[..] else { return None };
        Some((number + weight * class as u128, class))
    }

    /// The string with the features under node `node` of level `level` (0: the root) written by the next of its rules.
    pub fn synonym(&self, string: u128, level: u32, node: usize) -> u128 {
        let m = self.sizes.multiplicity as u128;
        let before: usize = (0..level).map(|l| self.sizes.branching.pow(l)).sum();
        let after = self.sizes.nodes().unwrap_or(0) as usize - 1 - before - node;
        let weight = m.pow(after as u32);
        let rule = string / weight % m;
        string - rule * weight + (rule + 1) % m * weight
    }
}

/// A tuple by its number.
fn digits(mut number: usize, sizes: Sizes) -> Vec<usize> {
    let digit = |_| {
        let digit = number % sizes.features;
        number /= sizes.features;
        digit
    };
    (0..sizes.branching).map(digit).collect()
}

/// So many different numbers below `all`, in random order.
fn distinct(all: usize, count: usize, draws: &mut Stream) -> Vec<usize> {
    if all <= 4 * count {
        let mut numbers: Vec<usize> = (0..all).collect();
        draws.draw(&mut numbers, count);
        numbers.truncate(count);
        return numbers;
    }
    let (mut seen, mut numbers) = (HashSet::new(), Vec::new());
    while numbers.len() < count {
        let number = draws.below(all as u64) as usize;
        if seen.insert(number) {
            numbers.push(number);
        }
    }
    numbers
}

/// So many different strings, in random order.
pub(super) fn sample(all: u128, count: usize, draws: &mut Stream) -> Vec<u128> {
    if all <= 4 * count as u128 {
        return distinct(all as usize, count, draws).into_iter().map(|n| n as u128).collect();
    }
    // A uniform number below `all`: the first of some that are below it, of the smallest power of two that holds it.
    let mask = u128::MAX >> (all - 1).leading_zeros();
    let (mut seen, mut numbers) = (HashSet::new(), Vec::new());
    while numbers.len() < count {
        let bits = (0..4).fold(0, |bits, _| bits << 32 | u128::from(draws.below(1 << 32))) & mask;
        if bits < all && seen.insert(bits) {
            numbers.push(bits);
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Grammar {
        let sizes = Sizes { classes: 2, features: 3, branching: 2, multiplicity: 2, levels: 2 };
        Grammar::new(sizes, &Key::new(4))
    }

    #[test]
    fn counts_are_those_of_the_formula() {
        let sizes = small().sizes;
        assert_eq!((sizes.length(), sizes.tuples(), sizes.needed()), (Some(4), Some(9), 6));
        assert_eq!(sizes.strings(), Some(2 * 2_u128.pow(3)));
        let deep = Sizes { levels: 3, branching: 3, multiplicity: 4, ..sizes };
        assert_eq!(deep.strings(), Some(2 * 4_u128.pow(13)));
        assert_eq!(Sizes { levels: 9, ..deep }.strings(), None);
    }

    /// Every number is a string of its own, and the parser finds number and class again; other strings have none.
    #[test]
    fn numbers_and_strings_are_the_same_thing() {
        let grammar = small();
        let all: Vec<_> = (0..16).map(|number| grammar.string(number)).collect();
        let different: HashSet<_> = all.iter().map(|(string, _)| string.clone()).collect();
        assert_eq!(different.len(), 16);
        for (number, (string, class)) in all.iter().enumerate() {
            assert_eq!(grammar.number(string), Some((number as u128, *class)));
            assert_eq!(*class, number / 8);
        }
        let strings = (0..81).map(|n| (0..4).map(|k| n / 3_usize.pow(k) % 3).collect::<Vec<usize>>());
        assert_eq!(strings.filter(|string| grammar.number(string).is_some()).count(), 16);
    }

    #[test]
    fn no_tuple_has_two_parents() {
        let sizes = Sizes { classes: 4, features: 5, branching: 3, multiplicity: 7, levels: 3 };
        let grammar = Grammar::new(sizes, &Key::new(1));
        for (level, parents) in grammar.levels.iter().zip(&grammar.parents) {
            assert_eq!(parents.len(), level.iter().map(Vec::len).sum::<usize>());
        }
        assert_eq!(grammar.parents.iter().map(HashMap::len).collect::<Vec<_>>(), [28, 35, 35]);
    }

    /// A synonym changes one node: its class stays, and so does the feature of every node that it does not stand under.
    #[test]
    fn synonyms_keep_the_class_and_change_one_place() {
        let sizes = Sizes { classes: 3, features: 6, branching: 2, multiplicity: 3, levels: 3 };
        let grammar = Grammar::new(sizes, &Key::new(2));
        for number in [0_u128, 5, 1234, 6560] {
            let (string, class) = grammar.string(number);
            for (level, nodes) in [(0, 1), (1, 2), (2, 4)] {
                for node in 0..nodes {
                    let other = grammar.synonym(number, level, node);
                    let (changed, same) = grammar.string(other);
                    assert_eq!(same, class);
                    let width = 8 / nodes;
                    let at: Vec<usize> = (0..8).filter(|&i| changed[i] != string[i]).collect();
                    assert!(!at.is_empty() && at.iter().all(|i| i / width == node), "{level} {node} {at:?}");
                    let back = grammar.synonym(grammar.synonym(other, level, node), level, node);
                    assert_eq!(back, number);
                }
            }
        }
    }

    #[test]
    fn samples_are_different_and_uniform() {
        let mut draws = Key::new(3).stream();
        let some = sample(1 << 40, 1000, &mut draws);
        assert_eq!(some.iter().collect::<HashSet<_>>().len(), 1000);
        let mean = some.iter().map(|n| *n as f64).sum::<f64>() / 1000.0 / (1_u64 << 39) as f64;
        assert!((mean - 1.0).abs() < 0.06, "{mean}");
        let mut all = sample(20, 20, &mut draws);
        all.sort_unstable();
        assert_eq!(all, (0..20).collect::<Vec<u128>>());
    }
}
