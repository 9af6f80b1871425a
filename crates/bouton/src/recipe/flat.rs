//! A recipe as one list of keys and values, for tables of runs.

use super::Recipe;
use super::describe;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Recipe {
    /// Every key with its value: `credit.eq-prop.beta` is 0.5, and `credit`, a choice, is its member `eq-prop`. Lists are
    /// values; what is left out is absent.
    pub fn flat(&self) -> BTreeMap<String, Value> {
        flat(&json!(self))
    }
}

/// As [`Recipe::flat`], of any table.
pub(crate) fn flat(table: &Value) -> BTreeMap<String, Value> {
    let mut keys = BTreeMap::new();
    flatten(String::new(), table, &describe::axes(), &mut keys);
    keys
}

fn flatten(path: String, value: &Value, axes: &[&str], keys: &mut BTreeMap<String, Value>) {
    match value {
        Value::Null => {}
        Value::Object(table) => {
            let axis = axes.contains(&path.rsplit('.').next().unwrap_or_default());
            if let Some((member, Value::Object(_))) = table.iter().next().filter(|_| axis && table.len() == 1)
            {
                keys.insert(path.clone(), json!(member));
            }
            for (key, value) in table {
                let full = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(full, value, axes, keys);
            }
        }
        other => {
            keys.insert(path, other.clone());
        }
    }
}
