//! Where in the grammar the cursor is.

use super::offers;
use clap::{Arg, ArgAction, Command};
use std::collections::BTreeMap;

/// A word with a line on it.
pub type Offer = (String, String);

/// What stands before the cursor.
pub struct Place<'a> {
    /// The verb, and the one below it.
    pub verbs: Vec<&'a str>,
    /// Words that are no options.
    pub words: Vec<&'a str>,
    /// Values of options, by the ids of these.
    pub options: BTreeMap<&'a str, &'a str>,
    command: &'a Command,
    /// The option whose value the next word is.
    waits: Option<&'a Arg>,
}

impl<'a> Place<'a> {
    /// The place behind these words.
    pub fn after(command: &'a Command, words: &'a [String]) -> Self {
        let mut place =
            Self { verbs: Vec::new(), words: Vec::new(), options: BTreeMap::new(), command, waits: None };
        words.iter().for_each(|word| place.step(word));
        place
    }

    fn step(&mut self, word: &'a str) {
        if let Some(option) = self.waits.take() {
            self.options.insert(option.get_id().as_str(), word);
        } else if word.starts_with('-') && word.len() > 1 {
            let (name, value) =
                word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            match (self.option(name), value) {
                (Some(option), Some(value)) => drop(self.options.insert(option.get_id().as_str(), value)),
                (option, None) => self.waits = option.filter(|option| takes_value(option)),
                (None, Some(_)) => {}
            }
        } else if let Some(verb) = self.command.find_subcommand(word).filter(|_| self.words.is_empty()) {
            self.verbs.push(verb.get_name());
            self.command = verb;
        } else {
            self.words.push(word);
        }
    }

    fn option(&self, name: &str) -> Option<&'a Arg> {
        let called = |arg: &&Arg| match name.strip_prefix("--") {
            Some(long) => arg.get_long() == Some(long),
            None => arg.get_short().is_some_and(|short| name.strip_prefix('-') == Some(&short.to_string())),
        };
        self.command.get_arguments().find(called)
    }

    /// What may stand here, of what `word` begins.
    pub fn offers(&self, word: &str) -> Vec<Offer> {
        if let Some(option) = self.waits {
            return self.values(option, word);
        }
        if let Some((name, value)) = word.split_once('=').filter(|_| word.starts_with("--")) {
            let values = self.option(name).map(|option| self.values(option, value)).unwrap_or_default();
            return values.into_iter().map(|(value, about)| (format!("{name}={value}"), about)).collect();
        }
        if word.starts_with('-') {
            return beginning(
                word,
                self.command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(long),
            );
        }
        if self.words.is_empty() && self.command.has_subcommands() {
            let verbs = self.command.get_subcommands().filter(|verb| !verb.is_hide_set());
            return beginning(word, verbs.map(|verb| (verb.get_name().into(), about(verb.get_about()))));
        }
        let mut places: Vec<&Arg> = self.command.get_positionals().collect();
        places.sort_by_key(|arg| arg.get_index());
        let last = places.last().copied().filter(|arg| matches!(arg.get_action(), ArgAction::Append));
        let place = places.get(self.words.len()).copied().or(last);
        place.map(|arg| self.values(arg, word)).unwrap_or_default()
    }

    /// What may stand for `arg`: the words that the grammar has for it, else what there is.
    fn values(&self, arg: &Arg, word: &str) -> Vec<Offer> {
        let known = arg.get_possible_values();
        if known.is_empty() {
            return offers::of(arg.get_id().as_str(), self, word);
        }
        beginning(word, known.iter().map(|value| (value.get_name().into(), about(value.get_help()))))
    }
}

/// Those that begin with `word`.
pub fn beginning(word: &str, offers: impl Iterator<Item = Offer>) -> Vec<Offer> {
    offers.filter(|(offer, _)| offer.starts_with(word)).collect()
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

fn long(arg: &Arg) -> Option<Offer> {
    Some((format!("--{}", arg.get_long()?), about(arg.get_help())))
}

fn about(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}
