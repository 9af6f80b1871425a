//! Device presets: files in which every parameter is named, none is unknown and each is checked. Some are built in.

use crate::io::small;
use crate::{Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::path::Path;

/// The presets that recipes may call by name, as files.
pub(super) const MAJUMDAR2021: &str = include_str!("../../data/devices/majumdar2021.toml");
pub(super) const SOFT_BOUNDS: &str = include_str!("../../data/devices/soft-bounds.toml");
const TEXTS: [&str; 8] = [
    MAJUMDAR2021,
    SOFT_BOUNDS,
    include_str!("../../data/devices/reram-array-om.toml"),
    include_str!("../../data/devices/reram-array-hfo2.toml"),
    include_str!("../../data/devices/ecram.toml"),
    include_str!("../../data/devices/ecram-mo.toml"),
    include_str!("../../data/devices/idealized.toml"),
    include_str!("../../data/devices/gokmen-vlasov.toml"),
];

/// A built-in device preset.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Preset {
    /// What recipes call it.
    pub name: String,
    /// Where its numbers come from.
    pub citation: String,
}

/// The built-in device presets.
pub fn presets() -> Vec<Preset> {
    let head = |text| toml::from_str(text).expect("built-in presets have a name and a citation");
    TEXTS.map(head).into()
}

/// The text of the built-in preset `device`: a file to copy and change.
pub fn built_in(device: &str) -> Option<&'static str> {
    presets().iter().position(|p| p.name == device).map(|i| TEXTS[i])
}

/// `device` as a resolved recipe has it: a built-in name or a text stays, a file in `folder` becomes its text.
///
/// # Errors
/// If the file cannot be read.
pub fn embedded(device: &str, folder: &Path) -> Result<String> {
    if built_in(device).is_some() || small::is_text(device) {
        return Ok(device.to_owned());
    }
    small::read(device, folder).map_err(|e| {
        let names: Vec<String> = presets().into_iter().map(|p| p.name).collect();
        let hint = e.hint().map_or(String::new(), |hint| format!("{hint}; "));
        e.with_hint(format!("{hint}name a file, or one that is built in: {}", names.join(", ")))
    })
}

/// The text of the preset that `[synapse.<synapse>]` calls `device`: a built-in name, a file, or the text itself.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn text(synapse: &str, device: &str) -> Result<Cow<'static, str>> {
    let device = embedded(device, Path::new(""));
    let device = device.map_err(|e| e.context(format!("synapse.{synapse}.device")))?;
    Ok(built_in(&device).map_or(Cow::Owned(device), Cow::Borrowed))
}

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
