//! What tasks have in common whose samples are drawn when they are loaded: fields `train`, `validation`, `test`, `batch` and `epochs`, and
//! a method `samples_of(split, n)`.

/// The methods of [`super::TaskMethod`] that follow from these, for the member of this name.
macro_rules! drawn_samples {
    ($member:ident) => {
        fn validation(&self) -> Option<crate::task::Held> {
            self.validation.map(crate::task::Held::from)
        }

        fn batch(&self) -> crate::task::BatchSize {
            self.batch
        }

        fn samples(&self) -> usize {
            self.train
        }

        fn set(&self) -> Option<&'static crate::task::KnownSet> {
            None
        }

        fn shown(&self) -> crate::task::Images {
            crate::task::synthetic::shown(self.batch, self.epochs)
        }

        fn quicken(&mut self, most: crate::task::Quick) {
            (self.train, self.test) = (self.train.min(most.train), self.test.min(most.test));
            self.epochs = self.epochs.min(most.epochs);
        }

        fn smoke(&self, samples: usize) -> crate::task::TaskSpec {
            let (train, test, batch, epochs) = (samples, samples, crate::task::BatchSize::Samples(2), 1);
            crate::task::TaskSpec::$member(Self {
                train,
                validation: None,
                test,
                batch,
                epochs,
                ..self.clone()
            })
        }

        fn load(&self, _: Option<&std::path::Path>) -> crate::Result<crate::task::Loaded> {
            let (train, test) = (self.samples_of("train", self.train)?, self.samples_of("test", self.test)?);
            Ok(crate::task::Loaded { train, validation: None, test })
        }
    };
}
pub(super) use drawn_samples;
