//! A network in a few lines of text.

use super::{Feedback, Network};
use std::fmt;

impl fmt::Display for Network {
    /// One line per population and per connection.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for p in &self.populations {
            writeln!(f, "{:<10} {:>6} units  {}", p.name, p.units, format!("{:?}", p.role).to_lowercase())?;
        }
        for c in &self.connections {
            let (rows, cols) = c.wiring.weight_shape();
            let back = match c.feedback {
                Feedback::None => "",
                Feedback::Tied => "  tied feedback",
                Feedback::Own(_) => "  own feedback",
                Feedback::Field(_) => "  own feedback, learned for itself",
                Feedback::Fixed(_) => "  fixed feedback",
                Feedback::Signs(_) => "  feedback of the same signs",
            };
            writeln!(f, "{:<20} {:>9} weights{back}", c.name, rows * cols)?;
        }
        write!(f, "{} parameters", self.parameter_count())
    }
}
