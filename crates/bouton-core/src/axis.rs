//! The axes of a recipe: one list per axis, in which every member is a type that brings all that is known of it.
//!
//! `axis!` makes the enum that recipes are read into. What the rest of the library asks of a member stands in the method trait
//! of its axis; nothing else names a member.

use crate::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A publication that a member rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cite {
    /// Its key in the bibliography.
    pub key: &'static str,
    /// What is taken from it, such as `nudge = "symmetric"`; absent: the member itself.
    pub what: Option<String>,
}

impl Cite {
    /// The publication of the member itself.
    pub fn of(key: &'static str) -> Self {
        Self { key, what: None }
    }

    /// The publication of one of its settings.
    pub fn setting(key: &'static str, what: impl Into<String>) -> Self {
        Self { key, what: Some(what.into()) }
    }
}

/// The name of the member that `choice` of an axis is, as recipes spell it: `eq-prop`, `sgd`, `mnist`.
pub fn variant_name<T: serde::Serialize>(choice: &T) -> String {
    match serde_json::to_value(choice) {
        Ok(serde_json::Value::Object(table)) => table.keys().next().cloned().unwrap_or_default(),
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Whether a setting is as it is without a word: then recipes leave it out.
pub(crate) fn is_default<T: Default + PartialEq>(setting: &T) -> bool {
    *setting == T::default()
}

/// One value for all layers, or one per connection from the input side on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PerLayer {
    /// The same value everywhere.
    All(f64),
    /// One value per connection, input side first.
    Each(Vec<f64>),
}

impl PerLayer {
    /// The value for connection `layer` (0 = the one that reads the input); the last one if the list is shorter.
    pub fn at(&self, layer: usize) -> f64 {
        match self {
            Self::All(v) => *v,
            Self::Each(v) => v.get(layer).or(v.last()).copied().unwrap_or(0.0),
        }
    }
}

/// Where a member stands in a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its table, such as `synapse.metaplastic`.
    pub table: String,
    /// Connections with weights, for lists of one value each.
    pub connections: usize,
}

impl Place {
    /// The full name of a key of the member.
    pub fn key(&self, field: &str) -> String {
        format!("{}.{field}", self.table)
    }

    /// "`key` is 0, but must be …" unless `ok`.
    ///
    /// # Errors
    /// [`Error::Config`] with the key and a hint.
    pub fn require(
        &self,
        ok: bool,
        field: &str,
        value: impl std::fmt::Display,
        need: &str,
        hint: &str,
    ) -> Result<()> {
        if ok {
            return Ok(());
        }
        let message = format!("`{}` is {value}, but must be {need}", self.key(field));
        Err(Error::config(message).with_hint(hint))
    }

    /// One value, or as many as there are connections.
    ///
    /// # Errors
    /// [`Error::Config`] with both numbers.
    pub fn per_connection(&self, field: &str, values: &PerLayer) -> Result<()> {
        let (PerLayer::Each(values), connections) = (values, self.connections) else { return Ok(()) };
        if values.len() == connections {
            return Ok(());
        }
        let listed = format!("`{}` lists {} values", self.key(field), values.len());
        if connections == 1 {
            let message = format!("{listed}, but there is one connection");
            return Err(Error::config(message).with_hint("give one value"));
        }
        let message = format!("{listed}, but the network has {connections} connections");
        Err(Error::config(message).with_hint(
            "give one value for all, or one per connection, input side first, then convolutions of skips",
        ))
    }
}

/// Makes the enum of an axis from its list: in brackets the member without settings that stands for none, if there is one, and the
/// type behind it; then the others, each with its type. Every type implements the method trait of the axis.
macro_rules! axis {
    (
        $(#[$meta:meta])*
        pub enum $name:ident: $method:ident $([ $(#[$nothing_meta:meta])* $nothing:ident = $type:expr ])? {
            $($(#[$member_meta:meta])* $member:ident($inner:ty),)*
        }
    ) => {
        $(#[$meta])*
        pub enum $name {
            $($(#[$nothing_meta])* $nothing,)?
            $($(#[$member_meta])* $member($inner),)*
        }

        impl $name {
            /// What its axis knows of the member.
            pub fn method(&self) -> &dyn $method {
                match self {
                    $(Self::$nothing => &$type,)?
                    $(Self::$member(member) => member,)*
                }
            }

            /// [`Self::method`], to change; nothing for a member without settings.
            pub fn method_mut(&mut self) -> Option<&mut dyn $method> {
                match self {
                    $(Self::$nothing => None,)?
                    $(Self::$member(member) => Some(member),)*
                }
            }

            /// Every member with the settings that its tests want: each word and each switch of it at least once.
            pub fn all() -> Vec<Self> {
                let mut all = vec![$(Self::$nothing)?];
                $(all.extend(<$inner as $method>::examples().into_iter().map(Self::$member));)*
                all
            }
        }
    };
}
pub(crate) use axis;
