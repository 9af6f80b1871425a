//! A matrix of fractions as coloured cells with their values in percent.

use super::escape;

/// Shown width in pixels.
const WIDTH: usize = 680;
const LEFT: usize = 70;
const TOP: usize = 66;
/// Largest side of a cell, and the side from which on it has room for its value.
const CELL: usize = 64;
const READABLE: usize = 26;

/// Draws `rows` (row labels with one fraction per column; not finite: an empty cell) under columns 1, 2, …, or under their
/// names where these have room.
pub fn matrix(
    title: &str,
    row_label: &str,
    column_label: &str,
    names: &[String],
    rows: &[(String, Vec<f64>)],
) -> String {
    let columns = rows.iter().map(|r| r.1.len()).max().unwrap_or(0).max(1);
    let side = ((WIDTH - LEFT - 16) / columns).clamp(1, CELL);
    let (row_height, total) = (side.clamp(4, 40), TOP + 24 + rows.len() * side.clamp(4, 40));
    let mut cells = String::new();
    for (i, (label, values)) in rows.iter().enumerate() {
        let y = TOP + i * row_height;
        if row_height >= 12 {
            cells += &text(LEFT - 8, y + row_height / 2 + 4, "end", &escape(label));
        }
        for (j, &value) in values.iter().enumerate().filter(|(_, v)| v.is_finite()) {
            let x = LEFT + j * side;
            cells += &format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>\n",
                (side - 1).max(1),
                row_height - 1,
                shade(value)
            );
            if side >= READABLE && row_height >= 12 {
                let ink = if value > 0.6 { "#FFFFFF" } else { "#262A30" };
                cells += &format!(
                    "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\" fill=\"{ink}\">{:.1}</text>\n",
                    x + side / 2,
                    y + row_height / 2 + 4,
                    100.0 * value
                );
            }
        }
    }
    let every = columns.div_ceil(20);
    let named = names.iter().all(|name| 6 * name.chars().count() < side);
    for j in (0..columns).step_by(every) {
        let name = names.get(j).filter(|_| named).map_or_else(|| (j + 1).to_string(), |name| escape(name));
        cells += &text(LEFT + j * side + side / 2, TOP - 8, "middle", &name);
    }
    format!(
        "<svg width=\"{WIDTH}\" height=\"{total}\" viewBox=\"0 0 {WIDTH} {total}\" \
         xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" fill=\"#262A30\">\n\
         <rect width=\"{WIDTH}\" height=\"{total}\" fill=\"#FFFFFF\"/>\n\
         <text x=\"16\" y=\"24\" font-size=\"15\" font-weight=\"bold\">{}</text>\n\
         <text x=\"{LEFT}\" y=\"44\" font-size=\"12\">{}</text>\n\
         <text x=\"16\" y=\"{}\" font-size=\"12\">{}</text>\n{cells}</svg>\n",
        escape(title),
        escape(column_label),
        total - 8,
        escape(row_label),
    )
}

/// 0 white, 1 dark blue.
fn shade(value: f64) -> String {
    let v = value.clamp(0.0, 1.0);
    let mix = |end: f64| (255.0 + (end - 255.0) * v).round() as u8;
    format!("#{:02X}{:02X}{:02X}", mix(0.0), mix(90.0), mix(160.0))
}

fn text(x: usize, y: usize, anchor: &str, text: &str) -> String {
    format!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" font-size=\"11\">{text}</text>\n")
}

#[cfg(test)]
mod tests {
    use super::super::check::well_formed;
    use super::*;

    #[test]
    fn cells_show_percent_and_what_was_not_tested_is_empty() {
        let rows = [("task 1".to_string(), vec![0.971, f64::NAN]), ("task <2>".to_string(), vec![0.5, 1.0])];
        let svg = matrix("Accuracy", "after", "on task", &["1 (0 1)", "2 (<3)"].map(String::from), &rows);
        well_formed(&svg);
        assert_eq!(svg.matches("<rect").count(), 1 + 3);
        assert!(svg.contains(">1 (0 1)<") && svg.contains(">2 (&lt;3)<"));
        assert!(svg.contains(">97.1<") && svg.contains(">50.0<") && svg.contains("task &lt;2&gt;"));
        assert_eq!((shade(0.0), shade(1.0)), ("#FFFFFF".into(), "#005AA0".into()));
    }

    #[test]
    fn many_tasks_fit() {
        let rows: Vec<_> = (0..100).map(|i| (i.to_string(), vec![0.5; 100])).collect();
        let svg = matrix("Accuracy", "", "", &vec!["a".into(); 100], &rows);
        well_formed(&svg);
        assert!(!svg.contains(">50.0<"), "no room for values");
        assert!(
            matrix("", "", "", &[], &[("a".into(), vec![0.5; 1000])])
                .contains("<rect x=\"1000\" y=\"66\" width=\"1\"")
        );
    }
}
