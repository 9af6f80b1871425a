//! Names that a recipe gives to populations and connections.

use serde_json::{Value, json};

/// Words that names of states and parameters are made of.
const RESERVED: [&str; 9] =
    ["optim", "anchor", "credit", "norm", "task", "weight", "bias", "gain", "objective"];
/// Most characters of a name.
const LONGEST: usize = 64;

/// What to write instead of `name`, if that is no name.
pub(super) fn refused(name: &str) -> Option<String> {
    if RESERVED.contains(&name) {
        let words = RESERVED.map(|word| format!("`{word}`")).join(", ");
        return Some(format!("any name but {words}, which states and parameters are called by"));
    }
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    if begins && name.chars().all(fits) && name.len() <= LONGEST {
        return None;
    }
    Some(format!("any name of small letters, digits and `-`, a letter first, at most {LONGEST} characters"))
}

/// The same for validators of JSON.
pub(super) fn schema() -> Value {
    json!({ "pattern": "^[a-z][a-z0-9-]*$", "maxLength": LONGEST, "not": { "enum": RESERVED } })
}

#[cfg(test)]
mod tests {
    use super::refused;

    #[test]
    fn names_are_plain_words() {
        for name in ["a", "hidden1", "input-hidden1", "norms", "a-", &"a".repeat(64)] {
            assert_eq!(refused(name), None, "{name}");
        }
        for name in ["", "1a", "-a", "A", "aB", "a_b", "a.b", "a b", "a\n", "é", "aé", &"a".repeat(65)] {
            assert!(refused(name).unwrap().contains("small letters"), "{name}");
        }
        for name in super::RESERVED {
            assert!(refused(name).unwrap().contains(&format!("`{name}`")));
        }
    }
}
