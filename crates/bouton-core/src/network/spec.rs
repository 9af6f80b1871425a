//! The shape of a network in a recipe: its layers, and connections beside their chain.

use crate::error::{Error, Result};
use crate::shape::{MOST_UNITS, Shape};
use crate::wiring::PoolSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The network of a recipe (`[network]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NetworkSpec {
    /// Each layer from the input (features of the data) to the output (classes): a number of units, or
    /// `{ image = [channels, height, width] }` first and `{ filters = …, kernel = … }` behind it for convolutions.
    #[serde(default)]
    pub layers: Vec<Layer>,
    /// Name of the population that is compared with the target. Default: `output`, the last of the layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Connections beside the layer chain: identities, or convolutions. Default: none.
    #[serde(default)]
    pub skips: Vec<Skip>,
    /// Probability that a hidden unit is silent in a training step; the others are scaled up. Default 0.
    #[serde(default)]
    #[schemars(extend(
        "minimum" = 0, "exclusiveMaximum" = 1,
        "x-hint" = "0.5 is usual; leave it out for none"
    ))]
    pub dropout: f64,
    /// The same for input units. Default 0.
    #[serde(default)]
    #[schemars(extend(
        "minimum" = 0, "exclusiveMaximum" = 1,
        "x-hint" = "0.2 is usual; leave it out for none"
    ))]
    pub input_dropout: f64,
}

/// One layer of a network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Layer {
    /// So many units, each connected to all of the layer before.
    Units(
        #[schemars(extend(
            "minimum" = 1, "maximum" = MOST_UNITS,
            "x-hint" = "give every layer at least one unit"
        ))]
        usize,
    ),
    /// The input as an image.
    Image(ImageLayer),
    /// A convolution of the layer before.
    Conv(ConvLayer),
}

/// The input of a network of convolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImageLayer {
    /// Channels, height and width.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 65_536,
        "x-hint" = "channels, height and width, such as [1, 28, 28]"
    ))]
    pub image: [usize; 3],
}

/// What a filter sees: a square, or so many rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Kernel {
    /// As many rows as columns.
    Square(usize),
    /// Height and width.
    Sides([usize; 2]),
}

impl Kernel {
    /// Height and width.
    pub fn sides(self) -> [usize; 2] {
        match self {
            Self::Square(side) => [side; 2],
            Self::Sides(sides) => sides,
        }
    }
}

/// A layer of filters over the image before it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ConvLayer {
    /// Filters, the channels of this layer.
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000, "x-hint" = "16 to 512 are usual"))]
    pub filters: usize,
    /// Side of the kernel, or its height and width.
    #[schemars(extend("minimum" = 1, "maximum" = 1024, "x-hint" = "3 to 5 are usual; [1, 5] goes along a row"))]
    pub kernel: Kernel,
    /// Pixels from one place of the kernel to the next. Default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(extend("minimum" = 1, "maximum" = 1024, "x-hint" = "1 or 2 are usual"))]
    pub stride: usize,
    /// Zeros around the image before it. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("minimum" = 0, "maximum" = 1024, "x-hint" = "1 keeps the size with a kernel of 3"))]
    pub padding: usize,
    /// Pooling of the filters' drives. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolSpec>,
}

fn one() -> usize {
    1
}

fn is_one(n: &usize) -> bool {
    *n == 1
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl NetworkSpec {
    /// The shape of every layer.
    ///
    /// # Errors
    /// [`Error::Shape`] where layers do not chain, naming the layer.
    pub fn shapes(&self) -> Result<Vec<Shape>> {
        let mut shapes: Vec<Shape> = Vec::with_capacity(self.layers.len());
        for (i, layer) in self.layers.iter().enumerate() {
            let shape = match *layer {
                Layer::Units(channels) => Shape { height: 1, width: 1, channels },
                Layer::Image(ImageLayer { image: [channels, height, width] }) if i == 0 => {
                    Shape { height, width, channels }
                }
                Layer::Image(_) => {
                    return wrong(i, "is an image", "only the first layer, the input, is given as an image");
                }
                Layer::Conv(conv) => match shapes.last() {
                    Some(before) => conv.shape(i, *before)?,
                    None => {
                        return wrong(
                            i,
                            "is a convolution",
                            "the first layer is the input: { image = [channels, height, width] }",
                        );
                    }
                },
            };
            if !shape.fits() {
                return too_large(i);
            }
            if shape.units() == 0 {
                return wrong(i, "is 0: a layer needs units", "give every layer at least one unit");
            }
            shapes.push(shape);
        }
        Ok(shapes)
    }

    /// Units of every layer.
    ///
    /// # Errors
    /// As [`NetworkSpec::shapes`].
    pub fn units(&self) -> Result<Vec<usize>> {
        Ok(self.shapes()?.into_iter().map(Shape::units).collect())
    }

    /// Whether there are convolutions.
    pub fn has_convolutions(&self) -> bool {
        self.layers.iter().any(|l| matches!(l, Layer::Conv(_))) || self.convolved_skips().next().is_some()
    }

    /// Skips that are convolutions.
    pub fn convolved_skips(&self) -> impl Iterator<Item = &Skip> {
        self.skips.iter().filter(|s| s.kernel.is_some())
    }

    /// Connections with weights: those of the chain, then convolutions beside it.
    pub fn weighted(&self) -> usize {
        self.layers.len().saturating_sub(1) + self.convolved_skips().count()
    }
}

impl ConvLayer {
    /// Height and width of the drives before pooling, on an image of shape `before`.
    pub fn drives(&self, before: Shape) -> Option<[usize; 2]> {
        let places = |side, kernel| places(side, kernel, self.stride, self.padding);
        let [rows, columns] = self.kernel.sides();
        Some([places(before.height, rows)?, places(before.width, columns)?])
    }

    /// Whether the padded image and the `drives` on it have at most so many units as a layer may have.
    fn fits(&self, before: Shape, [height, width]: [usize; 2]) -> bool {
        let side = |side| padded(side, self.padding).unwrap_or(usize::MAX);
        let image = Shape { height: side(before.height), width: side(before.width), ..before };
        image.fits() && Shape { height, width, channels: self.filters }.fits()
    }

    fn shape(&self, i: usize, before: Shape) -> Result<Shape> {
        let [rows, columns] = self.kernel.sides();
        let most = rows.max(columns);
        if before.height * before.width == 1 && padded(1, self.padding).is_some_and(|n| most > n) {
            let message = format!("is a convolution of {} units without places", before.channels);
            return wrong(
                i,
                &message,
                "begin with { image = [channels, height, width] } instead of a number",
            );
        }
        if [self.filters, rows, columns, self.stride].contains(&0) {
            return wrong(i, "has filters, kernel or stride 0", "each must be at least 1");
        }
        let Some([height, width]) = self.drives(before) else {
            let message = format!(
                "has a kernel of {rows} × {columns} on an image of {} × {}",
                before.height, before.width
            );
            return wrong(i, &message, "use a smaller kernel or more padding");
        };
        if !self.fits(before, [height, width]) {
            return too_large(i);
        }
        let size = self.pool.map_or(1, |p| p.size());
        if size == 0 || height % size != 0 || width % size != 0 {
            let message = format!("pools {height} × {width} drives in windows of {size} × {size}");
            return wrong(
                i,
                &message,
                "the side of the windows must divide both; padding changes the number of drives",
            );
        }
        Ok(Shape { height: height / size, width: width / size, channels: self.filters })
    }
}

fn too_large<T>(layer: usize) -> Result<T> {
    let message = format!("has more than {MOST_UNITS} units, with padding or before pooling");
    wrong(layer, &message, "use fewer filters or units, less padding or a larger stride")
}

fn wrong<T>(layer: usize, message: &str, hint: &str) -> Result<T> {
    Err(Error::shape(format!("network.layers[{layer}] {message}")).with_hint(hint))
}

/// A connection beside the chain: an identity between two layers of equal size, or a convolution that fits them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Skip {
    /// Layer it starts from (0 = input).
    #[schemars(extend("minimum" = 0, "maximum" = 1000, "x-hint" = "layers are counted from 0, the input"))]
    pub from: usize,
    /// Layer it ends at.
    #[schemars(extend("minimum" = 0, "maximum" = 1000, "x-hint" = "layers are counted from 0, the input"))]
    pub to: usize,
    /// Height and width of the kernel of a convolution. Default: an identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = 1024, "x-hint" = "kernel = 1 makes it a 1×1 convolution"))]
    pub kernel: Option<usize>,
    /// Pixels from one place of the kernel to the next. Default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(extend("minimum" = 1, "maximum" = 1024, "x-hint" = "1 or 2 are usual"))]
    pub stride: usize,
    /// Zeros around the image it starts from. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("minimum" = 0, "maximum" = 1024, "x-hint" = "1 keeps the size with a kernel of 3"))]
    pub padding: usize,
}

impl Skip {
    /// What arrives at layer `to` from one of shape `before`, with as many channels as layer `to` has; `None` if the kernel
    /// is larger than the image.
    pub fn arrives(&self, before: Shape, channels: usize) -> Option<Shape> {
        let Some(kernel) = self.kernel else { return Some(before) };
        let places = |side| places(side, kernel, self.stride, self.padding);
        Some(Shape { height: places(before.height)?, width: places(before.width)?, channels })
    }
}

/// Places of a kernel along one side of an image.
fn places(side: usize, kernel: usize, stride: usize, padding: usize) -> Option<usize> {
    Some(padded(side, padding)?.checked_sub(kernel)? / stride.max(1) + 1)
}

fn padded(side: usize, padding: usize) -> Option<usize> {
    padding.checked_mul(2)?.checked_add(side)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(layers: &str) -> NetworkSpec {
        toml::from_str(&format!("layers = {layers}")).unwrap()
    }

    #[test]
    fn layers_chain() {
        let text = "[{ image = [3, 32, 32] }, { filters = 8, kernel = 3, padding = 1, pool = { max = 2 } },\n\
                    { filters = 4, kernel = 5, stride = 2 }, 10]";
        let shapes = spec(text).shapes().unwrap();
        let sizes: Vec<_> = shapes.iter().map(|s| [s.height, s.width, s.channels]).collect();
        assert_eq!(sizes, [[32, 32, 3], [16, 16, 8], [6, 6, 4], [1, 1, 10]]);
        let again: NetworkSpec = toml::from_str(&toml::to_string(&spec(text)).unwrap()).unwrap();
        assert_eq!(again, spec(text));
    }

    #[test]
    fn layers_that_do_not_chain_are_refused_with_the_layer_named() {
        for (layers, message) in [
            ("[{ image = [1, 8, 8] }, { filters = 4, kernel = 9 }, 10]", "layers[1] has a kernel of 9 × 9"),
            (
                "[{ image = [1, 9, 9] }, { filters = 4, kernel = 3, pool = { max = 2 } }, 10]",
                "layers[1] pools 7 × 7",
            ),
            ("[64, { filters = 4, kernel = 3 }, 10]", "layers[1] is a convolution of 64 units"),
            ("[64, { image = [1, 2, 2] }, 10]", "layers[1] is an image"),
            ("[{ filters = 4, kernel = 3 }, 10]", "layers[0] is a convolution"),
            ("[64, 0, 10]", "layers[1] is 0"),
            ("[{ image = [1, 8, 8] }, { filters = 4, kernel = 3, stride = 0 }, 10]", "stride 0"),
            ("[9223372036854775807, 10]", "layers[0] has more than"),
            ("[{ image = [4294967296, 4294967296, 3] }, 10]", "layers[0] has more than"),
            (
                "[{ image = [1, 8, 8] }, { filters = 4, kernel = 3, padding = 9223372036854775807 }, 10]",
                "layers[1] has a kernel",
            ),
            (
                "[{ image = [1, 8, 8] }, { filters = 1, kernel = 2000000007, padding = 1000000000 }, 10]",
                "layers[1] has more than",
            ),
        ] {
            let error = spec(layers).shapes().unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.hint().is_some());
        }
    }
}
