//! The one error type: what went wrong, where, and what to try.

use std::io::ErrorKind;
use std::path::PathBuf;

/// Everything that can go wrong in bouton. Each variant has a documented exit code of the command-line tool.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A recipe, an override or an argument that cannot be understood (exit code 2).
    #[error("{message}")]
    Config {
        /// What is wrong and where (file, line, column, key).
        message: String,
        /// What to try.
        hint: Option<String>,
    },
    /// Two choices that make no sense together (exit code 2).
    #[error("{message}")]
    Incompatible {
        /// Which choices clash, and why.
        message: String,
        /// The alternative to use.
        hint: String,
    },
    /// Shapes that do not chain (exit code 2).
    #[error("{message}")]
    Shape {
        /// Which shapes, where.
        message: String,
        /// What to try.
        hint: Option<String>,
    },
    /// A data file that is damaged or holds impossible values (exit code 2).
    #[error("{message}")]
    Data {
        /// Which file or sample, and what is wrong with it.
        message: String,
        /// What to try.
        hint: Option<String>,
    },
    /// A data set that is not on this machine (exit code 3).
    #[error("{message}")]
    DataMissing {
        /// Which set, and where it was looked for.
        message: String,
        /// How to get it.
        hint: String,
    },
    /// The operating system refused to read or write (exit code 2).
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A checkpoint that is truncated or belongs to another network (exit code 2).
    #[error("{message}")]
    Checkpoint {
        /// Which file, and what does not fit.
        message: String,
        /// What to try.
        hint: Option<String>,
    },
    /// Numbers that left their range during training (exit code 1).
    #[error("{message}")]
    Diverged {
        /// Population, phase, sweep and step.
        message: String,
        /// What to try.
        hint: Option<String>,
    },
    /// The user asked to stop; a checkpoint was written (exit code 130).
    #[error("interrupted")]
    Interrupted,
}

/// The result type of the library.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A [`Error::Config`] without a hint.
    pub fn config(message: impl Into<String>) -> Self {
        Self::Config { message: message.into(), hint: None }
    }

    /// A [`Error::Incompatible`].
    pub fn incompatible(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Incompatible { message: message.into(), hint: hint.into() }
    }

    /// A [`Error::Shape`] without a hint.
    pub fn shape(message: impl Into<String>) -> Self {
        Self::Shape { message: message.into(), hint: None }
    }

    /// A [`Error::Data`] without a hint.
    pub fn data(message: impl Into<String>) -> Self {
        Self::Data { message: message.into(), hint: None }
    }

    /// A [`Error::Checkpoint`] without a hint.
    pub fn checkpoint(message: impl Into<String>) -> Self {
        Self::Checkpoint { message: message.into(), hint: None }
    }

    /// A [`Error::Io`] at `path`.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    /// The same error with a hint, where the variant can carry one.
    #[must_use]
    pub fn with_hint(mut self, text: impl Into<String>) -> Self {
        match &mut self {
            Self::Config { hint, .. }
            | Self::Shape { hint, .. }
            | Self::Data { hint, .. }
            | Self::Checkpoint { hint, .. }
            | Self::Diverged { hint, .. } => *hint = Some(text.into()),
            Self::Incompatible { hint, .. } | Self::DataMissing { hint, .. } => *hint = text.into(),
            Self::Io { .. } | Self::Interrupted => {}
        }
        self
    }

    /// The same error with `context` (a file, a recipe, a run) before its message.
    #[must_use]
    pub fn context(mut self, context: impl std::fmt::Display) -> Self {
        match &mut self {
            Self::Config { message, .. }
            | Self::Incompatible { message, .. }
            | Self::Shape { message, .. }
            | Self::Data { message, .. }
            | Self::DataMissing { message, .. }
            | Self::Checkpoint { message, .. }
            | Self::Diverged { message, .. } => *message = format!("{context}: {message}"),
            Self::Io { .. } | Self::Interrupted => {}
        }
        self
    }

    /// All `errors` as one, each on a line of its own.
    ///
    /// # Errors
    /// If there are any.
    pub fn all(mut errors: Vec<Self>) -> Result<()> {
        let line = |e: &Self| format!("{e}{}", e.hint().map(|hint| format!(" ({hint})")).unwrap_or_default());
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Self::config(errors.iter().map(line).collect::<Vec<_>>().join("\n"))),
        }
    }

    /// What to try, if anything is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Config { hint, .. }
            | Self::Shape { hint, .. }
            | Self::Data { hint, .. }
            | Self::Checkpoint { hint, .. }
            | Self::Diverged { hint, .. } => hint.as_deref(),
            Self::Incompatible { hint, .. } | Self::DataMissing { hint, .. } => Some(hint),
            Self::Io { source, .. } => match source.kind() {
                ErrorKind::NotFound => Some("nothing of that name is there: check the path"),
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    Some("it may not be read or written: choose another place, such as with --out DIR")
                }
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                    Some("free some space and run the same again: what was done is kept")
                }
                _ => None,
            },
            Self::Interrupted => None,
        }
    }

    /// The exit code of the command-line tool: 1 failed, 2 bad input, 3 data missing, 130 interrupted.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Diverged { .. } => 1,
            Self::DataMissing { .. } => 3,
            Self::Interrupted => 130,
            _ => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn exit_codes_are_the_documented_ones() {
        assert_eq!(Error::config("x").exit_code(), 2);
        assert_eq!(Error::Interrupted.exit_code(), 130);
        let missing = Error::DataMissing { message: "mnist".into(), hint: "bouton data get mnist".into() };
        assert_eq!(missing.exit_code(), 3);
    }

    #[test]
    fn context_and_hint_are_kept_together() {
        let e = Error::config("unknown key").with_hint("did you mean `beta`?").context("recipe.toml:3:1");
        assert_eq!(e.to_string(), "recipe.toml:3:1: unknown key");
        assert_eq!(e.hint(), Some("did you mean `beta`?"));
    }
}
