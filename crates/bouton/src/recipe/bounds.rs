//! Bounds of numbers: attributes of a recipe's fields, keywords of its JSON schema.
//!
//! A field says `#[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1, "x-hint" = "0.1 is usual"))]`. NaN is within no
//! bounds.

use serde_json::{Map, Value};

/// Keywords of the schema: the bounds, and what to write instead of a number beyond them.
const LOW: [&str; 2] = ["minimum", "exclusiveMinimum"];
const HIGH: [&str; 2] = ["maximum", "exclusiveMaximum"];
const HINT: &str = "x-hint";

/// The numbers that may stand at a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    low: End,
    high: End,
    /// What to write instead.
    pub hint: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct End {
    at: &'static Value,
    excluded: bool,
}

impl Bounds {
    /// Those that the schema of a number names, if it names both.
    pub fn of(schema: &'static Value) -> Option<Self> {
        let end = |[within, beyond]: [&str; 2]| match (schema.get(within), schema.get(beyond)) {
            (_, Some(at)) => Some(End { at, excluded: true }),
            (at, None) => at.map(|at| End { at, excluded: false }),
        };
        Some(Self { low: end(LOW)?, high: end(HIGH)?, hint: schema[HINT].as_str() })
    }

    /// Both ends, as TOML.
    #[cfg(test)]
    pub fn ends(&self) -> [String; 2] {
        [self.low, self.high].map(|end| end.at.to_string())
    }

    /// Whether `x` is within; what 32 bits round to an excluded end is not.
    pub fn hold(&self, x: f64) -> bool {
        let rounded = f64::from(x as f32);
        let [low, high] = [self.low.at, self.high.at].map(|v| v.as_f64().unwrap_or(f64::NAN));
        let above = if self.low.excluded { x > low && rounded > low } else { x >= low };
        let below = if self.high.excluded { x < high && rounded < high } else { x <= high };
        above && below
    }
}

impl std::fmt::Display for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [low, high] = [self.low.at, self.high.at].map(number);
        match (self.low.excluded, self.high.excluded) {
            (false, false) => write!(f, "from {low} to {high}"),
            (true, false) => write!(f, "above {low} and at most {high}"),
            (false, true) => write!(f, "at least {low} and below {high}"),
            (true, true) => write!(f, "above {low} and below {high}"),
        }
    }
}

/// A number as people write it: 10,000,000 or 1e6.
fn number(value: &Value) -> String {
    let Some(whole) = value.as_i64() else {
        let x = value.as_f64().unwrap_or(f64::NAN);
        return if x.abs() < 1e4 { x.to_string() } else { format!("{x:e}") };
    };
    let mut text = whole.unsigned_abs().to_string();
    for at in (1..text.len()).rev().filter(|at| (text.len() - at).is_multiple_of(3)).collect::<Vec<_>>() {
        text.insert(at, ',');
    }
    if whole < 0 { format!("-{text}") } else { text }
}

/// Puts bounds that stand beside a reference, a choice, a list or entries by name on every number behind it, where validators look.
pub(super) fn settle(schema: &mut Value) {
    let defs = schema["$defs"].clone();
    walk(schema, &defs);
}

fn walk(schema: &mut Value, defs: &Value) {
    match schema {
        Value::Object(map) => {
            let outside =
                ["$ref", "anyOf", "items", "additionalProperties"].iter().any(|key| map.contains_key(*key));
            if outside && LOW.iter().chain(&HIGH).any(|key| map.contains_key(*key)) {
                let keys = LOW.into_iter().chain(HIGH).chain([HINT]);
                let bounds: Vec<_> = keys.filter_map(|key| map.shift_remove_entry(key)).collect();
                push(map, &bounds, defs);
            }
            map.values_mut().for_each(|v| walk(v, defs));
        }
        Value::Array(list) => list.iter_mut().for_each(|v| walk(v, defs)),
        _ => {}
    }
}

fn push(map: &mut Map<String, Value>, bounds: &[(String, Value)], defs: &Value) {
    if let Some(Value::String(reference)) = map.shift_remove("$ref") {
        let name = reference.rsplit('/').next().unwrap_or_default();
        for (key, value) in defs[name].as_object().into_iter().flatten() {
            map.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    if let Some(Value::Array(any)) = map.get_mut("anyOf") {
        any.iter_mut().filter_map(Value::as_object_mut).for_each(|one| push(one, bounds, defs));
    } else if let Some(Value::Object(item)) = map.get_mut("items") {
        push(item, bounds, defs);
    } else if let Some(Value::Object(entry)) = map.get_mut("additionalProperties") {
        push(entry, bounds, defs);
    } else if map.get("type").is_some_and(|t| t != "null") {
        map.extend(bounds.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bounds(schema: Value) -> Bounds {
        Bounds::of(Box::leak(Box::new(schema))).unwrap()
    }

    #[test]
    fn nothing_passes_that_training_would_round_to_an_excluded_end() {
        let share = bounds(json!({ "exclusiveMinimum": 0, "exclusiveMaximum": 1 }));
        assert!(share.hold(1e-30) && share.hold(0.999_999));
        for x in [0.0, -0.0, 1.0, f64::NAN, 1e-60, 1.0 - 1e-12, f64::INFINITY] {
            assert!(!share.hold(x), "{x}");
        }
        let closed = bounds(json!({ "minimum": 0, "maximum": 1e6 }));
        assert!(closed.hold(-0.0) && closed.hold(1e-60) && closed.hold(1e6));
        assert!(!closed.hold(f64::NAN) && !closed.hold(1e6 + 1e-3) && !closed.hold(-1e-60));
    }

    #[test]
    fn bounds_are_told_in_words() {
        let text = |schema| bounds(schema).to_string();
        assert_eq!(text(json!({ "minimum": 1, "maximum": 10_000_000 })), "from 1 to 10,000,000");
        assert_eq!(text(json!({ "minimum": -36_000, "maximum": 100 })), "from -36,000 to 100");
        assert_eq!(text(json!({ "exclusiveMinimum": 0, "maximum": 1e6 })), "above 0 and at most 1e6");
        assert_eq!(text(json!({ "minimum": 0, "exclusiveMaximum": 0.5 })), "at least 0 and below 0.5");
    }

    #[test]
    fn bounds_reach_every_number_behind_a_reference() {
        let mut schema = json!({
            "$defs": { "Each": { "anyOf": [
                { "type": "number" }, { "type": "array", "items": { "type": "number" } }
            ] } },
            "properties": { "lr": { "anyOf": [{ "$ref": "#/$defs/Each" }, { "type": "null" }], "maximum": 3 } }
        });
        settle(&mut schema);
        let inner = json!({ "anyOf": [
            { "type": "number", "maximum": 3 }, { "type": "array", "items": { "type": "number", "maximum": 3 } }
        ] });
        assert_eq!(schema["properties"]["lr"], json!({ "anyOf": [inner, { "type": "null" }] }));
        let mut named =
            json!({ "type": "object", "additionalProperties": { "type": "number" }, "maximum": 3 });
        settle(&mut named);
        let entry = json!({ "type": "number", "maximum": 3 });
        assert_eq!(named, json!({ "type": "object", "additionalProperties": entry }));
    }
}
