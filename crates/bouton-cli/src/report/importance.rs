//! Importance of binary weights against the size of their hidden weight, from a run's `importance.json`.

use bouton::train::{Profile, RunDir};
use bouton::{Error, Result};

use super::Figure;
use super::figures::{LineChart, Palette, Series, line_chart};

/// The mean Fisher information, one line for each connection, and what flipping a weight costs, one figure for each;
/// nothing for a run without hidden weights.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, [`Error::Data`] if it is garbled.
pub fn importance(run: &RunDir, palette: &mut Palette) -> Result<Vec<Figure>> {
    let path = run.importance();
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
    let garbled = |e| Error::data(format!("{}: {e}", path.display()));
    let mut value: serde_json::Value = serde_json::from_slice(&bytes).map_err(garbled)?;
    let profiles: Vec<Profile> = serde_json::from_value(value["connections"].take()).map_err(garbled)?;
    let measured = profiles.iter().filter(|p| p.flip_cost.iter().any(Option::is_some));
    let fisher = fisher(&profiles, palette);
    std::iter::once(fisher).chain(measured.map(|p| flip_cost(p, palette))).collect()
}

fn fisher(profiles: &[Profile], palette: &mut Palette) -> Result<Figure> {
    let chart = LineChart {
        title: "Importance against hidden weight".into(),
        x_label: X_LABEL.into(),
        y_label: "mean squared gradient of the loss".into(),
        log_y: true,
        series: profiles.iter().map(|p| series(p, &p.importance)).collect(),
        boundaries: Vec::new(),
    };
    let caption = "Empirical Fisher information at the end of the run, on training samples of the last task, averaged over \
                   the weights in each fifteenth of the range.";
    Ok(Figure { svg: line_chart(&chart, palette)?, title: chart.title, caption: caption.into() })
}

fn flip_cost(profile: &Profile, palette: &mut Palette) -> Result<Figure> {
    let chart = LineChart {
        title: format!("Cost of flipping weights of {}", profile.connection),
        x_label: X_LABEL.into(),
        y_label: "rise of the mean loss per weight".into(),
        log_y: false,
        series: vec![series(profile, &profile.flip_cost)],
        boundaries: Vec::new(),
    };
    let caption = "Rise of the mean loss on training samples of the last task, for each weight that is flipped in a \
                   fifteenth of the range; ranges with too few weights are left out.";
    Ok(Figure { svg: line_chart(&chart, palette)?, title: chart.title, caption: caption.into() })
}

const X_LABEL: &str = "|hidden weight| over the largest of its connection";

fn series(profile: &Profile, values: &[Option<f64>]) -> Series {
    let bins = values.len() as f64;
    let points = values.iter().enumerate();
    let points = points.map(|(i, f)| ((i as f64 + 0.5) / bins, f.unwrap_or(f64::NAN)));
    Series { label: profile.connection.clone(), points: points.collect(), band: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_connection_and_a_gap_without_weights() {
        let folder = tempfile::tempdir().unwrap();
        let importance = |run: &RunDir| importance(run, &mut Palette::default());
        let run = RunDir::create(folder.path(), "x", 1, "3f9c0b1d").unwrap();
        assert!(importance(&run).unwrap().is_empty());
        let profile = |name: &str, f| {
            format!(
                "{{\"connection\":\"{name}\",\"largest\":0.5,\"weights\":[3,0,1],\"importance\":[1e-6,null,{f}]}}"
            )
        };
        let text = format!(
            "{{\"connections\":[{},{}]}}",
            profile("input-hidden1", 1e-5),
            profile("hidden1-output", 2e-3)
        );
        std::fs::write(run.importance(), &text).unwrap();
        let [figure] = &importance(&run).unwrap()[..] else { panic!("files without costs have one figure") };
        assert!(figure.svg.contains("hidden1-output") && figure.svg.contains("10⁻"), "{}", figure.svg);
        let text = text.replace("]}", "],\"flip-cost\":[1e-5,null,2e-5]}");
        std::fs::write(run.importance(), text).unwrap();
        let titles: Vec<String> = importance(&run).unwrap().into_iter().map(|figure| figure.title).collect();
        assert_eq!(
            titles[1..],
            ["input-hidden1", "hidden1-output"].map(|c| format!("Cost of flipping weights of {c}"))
        );
        std::fs::write(run.importance(), "{").unwrap();
        assert!(importance(&run).unwrap_err().to_string().contains("importance.json"));
    }
}
