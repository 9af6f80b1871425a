//! From one recipe to a table: which points a sweep has, what is left of them, and the processes that train them.
//!
//! ```text
//! grammar   what stands behind `key=`        grid      the points of several keys      file   a sweep as a file
//! points    their recipes, checked           unit      the command line of a point     rows       their runs
//! child     a process that trains a point    crew      so many of them at once         progress   how it goes
//! estimate  memory and time
//! ```

mod child;
mod crew;
mod estimate;
mod file;
pub(crate) mod grammar;
mod grid;
mod points;
mod progress;
mod rows;
mod unit;

pub(crate) use crew::Crew;
pub(crate) use estimate::{Estimate, memory};
pub(crate) use file::SweepFile;
pub(crate) use grid::{Axis, Grid};
pub(crate) use points::Point;
pub(crate) use rows::{Row, refused};
pub(crate) use unit::{Stand, Unit};

/// An error and its hint in one line.
pub(crate) fn in_one_line(error: &bouton::Error) -> String {
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{}{hint}", error.to_string().replace('\n', "; "))
}
