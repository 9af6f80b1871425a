//! What groups of runs kept of earlier tasks.

use super::Alike;
use super::figures::plot;
use crate::report::figures::{Palette, Plot, Series, matrix};
use crate::report::seeds::{band, over_seeds};
use crate::report::{Figure, accuracies};
use bouton::Result;
use bouton::train::continual::Accuracies;

/// Cells that all matrices of a page have together, so that it stays small.
const CELLS: usize = 8000;

/// Points (tasks learned, accuracy).
type Line = Vec<(f64, f64)>;

/// Curves of forgetting, then the mean matrix of each group; nothing for runs of one task.
pub(super) fn figures(groups: &[Alike<'_>], palette: &mut Palette) -> Result<Vec<Figure>> {
    let mut told: Vec<(&str, Vec<Accuracies>)> = Vec::new();
    for one in groups {
        let files = one.group.runs.values().map(|run| accuracies(&run.run())).collect::<Result<Vec<_>>>()?;
        let files: Vec<_> = files.into_iter().flatten().filter(|file| !file.accuracy.is_empty()).collect();
        if !files.is_empty() {
            told.push((&one.name, files));
        }
    }
    let mut figures = Vec::new();
    figures.extend(curve("Accuracy on the first task", first, &told, palette));
    figures.extend(curve("Mean accuracy on the tasks so far", so_far, &told, palette));
    let mut cells = 0;
    for (name, files) in &told {
        cells += files[0].accuracy.iter().map(Vec::len).sum::<usize>();
        if cells <= CELLS {
            figures.push(mean_matrix(name, files));
        }
    }
    Ok(figures)
}

fn curve(
    title: &str,
    of: fn(&Accuracies) -> Line,
    told: &[(&str, Vec<Accuracies>)],
    palette: &mut Palette,
) -> Option<Figure> {
    let series = |(name, files): &(&str, Vec<Accuracies>)| -> Series {
        band((*name).into(), &over_seeds(&files.iter().map(of).collect::<Vec<_>>()), usize::MAX)
    };
    let series: Vec<_> = told.iter().map(series).filter(|series| series.points.len() > 1).collect();
    let (x_label, y_label) = ("tasks learned".into(), "accuracy (fraction of samples)".into());
    (!series.is_empty()).then(|| plot(title, Plot { x_label, y_label, series, ..Plot::default() }, palette))
}

/// R(i, 1).
fn first(file: &Accuracies) -> Line {
    line(file, |row, _| row.first().copied().flatten())
}

/// The mean of R(i, j) over j ≤ i.
fn so_far(file: &Accuracies) -> Line {
    line(file, |row, learned| {
        let seen: Vec<f64> = row.iter().take(learned).filter_map(|x| *x).collect();
        (!seen.is_empty()).then(|| seen.iter().sum::<f64>() / seen.len() as f64)
    })
}

fn line(file: &Accuracies, of: impl Fn(&[Option<f64>], usize) -> Option<f64>) -> Line {
    let rows = file.accuracy.iter().enumerate();
    rows.filter_map(|(i, row)| Some(((i + 1) as f64, of(row, i + 1)?))).collect()
}

/// The mean over those runs whose matrix has the shape of the first.
fn mean_matrix(name: &str, files: &[Accuracies]) -> Figure {
    let shape = |file: &Accuracies| file.rows().iter().map(|(_, row)| row.len()).collect::<Vec<_>>();
    let alike: Vec<_> = files.iter().filter(|file| shape(file) == shape(&files[0])).collect();
    let cell = |i: usize, j: usize| {
        let sum: f64 = alike.iter().map(|file| file.rows()[i].1[j].unwrap_or(f64::NAN)).sum();
        sum / alike.len() as f64
    };
    let rows = files[0].rows().into_iter().enumerate();
    let rows: Vec<(String, Vec<f64>)> =
        rows.map(|(i, (label, row))| (label, (0..row.len()).map(|j| cell(i, j)).collect())).collect();
    let title = format!("Accuracy by task: {name}");
    let columns = "accuracy in percent on the test set of task";
    let tasks: Vec<_> = files[0].columns().iter().map(|name| name.replace("task ", "")).collect();
    let svg = matrix(&title, "rows: after learning", columns, &tasks, &rows);
    let caption = match alike.len() {
        1 => String::new(),
        seeds => format!("Mean over {seeds} seeds."),
    };
    Figure { title, caption, svg }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rows: [[f64; 2]; 2]) -> Accuracies {
        let accuracy = rows.iter().map(|row| row.iter().map(|x| Some(*x)).collect()).collect();
        Accuracies { accuracy, ..Accuracies::default() }
    }

    #[test]
    fn lines_follow_the_first_task_and_the_mean_of_those_learned() {
        let file = file([[1.0, 0.5], [0.25, 0.75]]);
        assert_eq!(first(&file), [(1.0, 1.0), (2.0, 0.25)]);
        assert_eq!(so_far(&file), [(1.0, 1.0), (2.0, 0.5)]);
    }

    #[test]
    fn a_matrix_is_the_mean_over_runs_of_its_shape() {
        let mut other = file([[1.0; 2]; 2]);
        other.accuracy.pop();
        let files = [file([[1.0, 0.5], [0.25, 0.75]]), file([[0.5, 0.5], [0.75, 0.25]]), other];
        let figure = mean_matrix("x", &files);
        assert_eq!(figure.caption, "Mean over 2 seeds.");
        for (value, cells) in [(">75.0<", 1), (">50.0<", 3)] {
            assert_eq!(figure.svg.matches(value).count(), cells, "{}", figure.svg);
        }
    }
}
