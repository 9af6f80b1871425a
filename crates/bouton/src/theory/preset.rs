//! Reading a device preset: every parameter is named, none is unknown, each is checked.

use crate::{Error, Result};
use serde::de::DeserializeOwned;

/// Parses `text`; `complete` names a preset that has every key.
pub(super) fn read<T: DeserializeOwned>(text: &str, complete: &str) -> Result<T> {
    let wrong = |path: Option<String>, e: &toml::de::Error| {
        let line = e.span().map(|s| 1 + text[..s.start.min(text.len())].matches('\n').count());
        let place = [line.map(|l| format!("line {l}: ")), path.map(|p| format!("`{p}`: "))];
        let place: String = place.into_iter().flatten().collect();
        Error::config(format!("device preset: {place}{}", e.message()))
            .with_hint(format!("a preset gives every parameter and nothing else, like {complete}"))
    };
    let document = toml::Deserializer::parse(text).map_err(|e| wrong(None, &e))?;
    serde_path_to_error::deserialize(document).map_err(|e| wrong(Some(e.path().to_string()), e.inner()))
}

/// Refuses a `value` that is not finite or does not keep its `rule`.
pub(super) fn require(holds: bool, key: &str, value: f64, rule: &str) -> Result<()> {
    if holds && value.is_finite() {
        return Ok(());
    }
    let rule = format!("it must be {}{rule}", if value.is_finite() { "" } else { "finite and " });
    Err(Error::config(format!("device preset: `{key}` is {value}")).with_hint(rule))
}
