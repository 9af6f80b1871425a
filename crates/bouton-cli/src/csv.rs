//! Comma-separated values (RFC 4180): what holds a comma, a quote or a line break stands in quotes.

/// A heading and rows as text.
pub(crate) fn table(heading: &[String], rows: &[Vec<String>]) -> String {
    std::iter::once(heading).chain(rows.iter().map(Vec::as_slice)).map(line).collect()
}

fn line(cells: &[String]) -> String {
    let quoted = |cell: &String| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.clone(),
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_would_end_a_cell_is_quoted() {
        let row = ["a", "1,2", "say \"no\"", "two\nlines", ""].map(String::from);
        assert_eq!(super::table(&row, &[]), "a,\"1,2\",\"say \"\"no\"\"\",\"two\nlines\",\n");
    }
}
