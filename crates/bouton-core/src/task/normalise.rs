//! Options of images that depend on their shape: normalisation by channel, and a larger size.

use super::catalogue::KnownSet;
use super::images::{Images, Normalise, Pixels};
use crate::{Error, Result};

impl Images {
    /// The value of a pixel of 0 to `scale` in channel `channel`: (pixel/scale − mean)/std if normalised.
    pub(super) fn value(&self, pixel: f64, scale: f64, channel: usize) -> f64 {
        let value = self.pixels.value(pixel, scale);
        self.normalise.as_ref().map_or(value, |n| (value - n.mean[channel]) / n.std[channel])
    }

    /// Channels, height, width of an image of `shape` as the network sees it.
    pub(crate) fn shape(&self, [c, h, w]: [usize; 3]) -> [usize; 3] {
        self.size.map_or([c, h, w], |size| [c, size, size])
    }

    /// Checks what depends on the data set.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::Incompatible`], with the key and a hint.
    pub fn check(&self, set: &KnownSet) -> Result<()> {
        let key = |field: &str| format!("task.{}.{field}", set.name);
        let refuse = |message: String, hint: &str| Err(Error::config(message).with_hint(hint));
        let [channels, height, width] = set.shape;
        let least = height.max(width);
        if let Some(size) = self.size.filter(|s| *s < least) {
            let message = format!("`{}` is {size}, but must be at least {least}", key("size"));
            return refuse(
                message,
                "images are padded with zeros, never cut; leave it out to keep their size",
            );
        }
        let Some(Normalise { mean, std }) = &self.normalise else { return Ok(()) };
        for (name, values) in [("normalise.mean", mean), ("normalise.std", std)] {
            if values.len() != channels {
                let message =
                    format!("`{}` has {} numbers, but must have {channels}", key(name), values.len());
                return refuse(message, &format!("one for each channel of {}", set.name));
            }
        }
        if self.pixels != Pixels::Unit {
            let message = format!("`{}` does not go with pixels of ±1", key("normalise"));
            return Err(Error::incompatible(message, "leave out `pixels`, or `normalise`"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::find;
    use super::*;

    fn images(more: &str) -> Images {
        toml::from_str(&format!("batch = 1\nepochs = 1\n{more}")).unwrap()
    }

    #[test]
    fn every_channel_has_its_own_mean_and_std() {
        let images = images("normalise = { mean = [0.2, 0.5, 0.0], std = [0.1, 0.25, 2.0] }");
        let all = [0, 1, 2].map(|c| images.value(51.0, 255.0, c));
        let expected = [0.0, -1.2, 0.1];
        assert!(all.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{all:?}");
        assert!((images.value(16.0, 16.0, 1) - 2.0).abs() < 1e-12);
        assert_eq!(self::images("").value(51.0, 255.0, 2), 51.0 * (1.0 / 255.0));
    }

    #[test]
    fn what_does_not_fit_the_images_is_refused() {
        let said = |set: &str, more: &str| {
            let e = images(more).check(find(set).unwrap()).expect_err(more);
            format!("{e} | {}", e.hint().unwrap())
        };
        let fits = |set: &str, more: &str| images(more).check(find(set).unwrap()).unwrap();
        fits("mnist", "size = 32\nnormalise = { mean = [0.1307], std = [0.3081] }");
        fits("mnist", "size = 28");
        fits("cifar-10", "normalise = { mean = [0, -1, 1], std = [1, 2, 3] }");
        let text = said("mnist", "size = 27");
        assert!(text.contains("`task.mnist.size` is 27") && text.contains("at least 28"), "{text}");
        let text = said("cifar-10", "normalise = { mean = [0.5], std = [1, 1, 1] }");
        assert!(text.contains("normalise.mean` has 1 numbers") && text.contains("have 3"), "{text}");
        let text = said("mnist", "normalise = { mean = [0.5], std = [] }");
        assert!(text.contains("normalise.std` has 0"), "{text}");
        for pixels in ["binary", "signed"] {
            let more = format!("pixels = \"{pixels}\"\nnormalise = {{ mean = [0.5], std = [1] }}");
            assert!(said("mnist", &more).contains("leave out `pixels`"));
        }
    }
}
