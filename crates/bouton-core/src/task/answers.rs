//! What samples should come to: classes, or values.

/// What samples should come to.
#[derive(Debug, Clone, PartialEq)]
pub enum Answers {
    /// One class each, every label below `classes`.
    Classes {
        /// How many classes there are.
        classes: usize,
        /// One for each sample.
        labels: Vec<u16>,
    },
    /// `outputs` numbers each, sample after sample.
    Values {
        /// Numbers of one sample.
        outputs: usize,
        /// All of them.
        values: Vec<f32>,
    },
}

impl Answers {
    /// How many samples they belong to.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Values { outputs, values } => values.len() / outputs,
        }
    }

    /// Classes, or numbers of a sample.
    pub(super) fn outputs(&self) -> usize {
        match self {
            Self::Classes { classes, .. } => *classes,
            Self::Values { outputs, .. } => *outputs,
        }
    }

    pub(super) fn truncate(&mut self, samples: usize) {
        match self {
            Self::Classes { labels, .. } => labels.truncate(samples),
            Self::Values { outputs, values } => values.truncate(samples * *outputs),
        }
    }

    pub(super) fn check(&self) -> std::result::Result<(), String> {
        match self {
            Self::Classes { classes, labels } => {
                match labels.iter().position(|&l| usize::from(l) >= *classes) {
                    Some(i) => Err(format!("label {} of sample {i} is not below {classes}", labels[i])),
                    None => Ok(()),
                }
            }
            Self::Values { outputs, values } => match values.iter().position(|v| !v.is_finite()) {
                Some(i) => Err(format!("target {} of sample {} is not finite", i % outputs, i / outputs)),
                None if !values.len().is_multiple_of(*outputs) => {
                    Err(format!("{} targets are no whole number of {outputs} a sample", values.len()))
                }
                None => Ok(()),
            },
        }
    }
}
