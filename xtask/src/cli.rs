//! Reference pages from the grammar of the command line and from the schema of recipes.

use super::note;
use bouton::recipe::describe::{self, NAME, Page};
use clap::Command;

/// The page of the command line.
pub fn reference() -> String {
    let mut root = bouton_cli::cli::command().term_width(100);
    root.build();
    let mut text = note("<!-- ", " -->\n") + "# Command line\n\n";
    section(&mut root, &mut text, 1);
    text
}

fn section(command: &mut Command, text: &mut String, depth: usize) {
    if depth > 1 {
        let name = command.get_bin_name().unwrap_or(command.get_name()).to_string();
        *text += &format!("{} {name}\n\n", "#".repeat(depth));
    }
    *text += &format!("```text\n{}\n```\n\n", command.render_long_help().to_string().trim_end());
    let shown = command.get_subcommands_mut().filter(|sub| !sub.is_hide_set());
    shown.for_each(|sub| section(sub, text, depth + 1));
}

/// The page of recipes: every axis with its members and their keys.
pub fn recipe() -> String {
    let mut text = note("<!-- ", " -->\n")
        + "# Recipes\n\nEverything that a recipe can say. On the command line: `bouton explain credit.eq-prop`.\n\n";
    text += "## At the top\n\n| key | value | default | meaning |\n|---|---|---|---|\n";
    for key in ["name", "about", "cite", "seed", "precision", "signs"] {
        let Ok(page) = describe::explain(key) else { continue };
        let words: Vec<String> = page.choices.iter().map(|choice| format!("`{}`", choice.name)).collect();
        let value = page.value.unwrap_or_else(|| words.join(", "));
        let default = page.default.map(|default| format!("`{default}`")).unwrap_or_default();
        text += &row(&[&format!("`{key}`"), &value, &default, &page.about]);
    }
    text += "\n";
    for table in ["run", "network", "time", "update"] {
        text += &format!("## `[{table}]`\n\n");
        text += &page(table);
    }
    for table in describe::maps() {
        text += &format!("## `[{table}.<name>]`\n\n");
        text += &entry(table);
    }
    for axis in describe::axes() {
        text += &format!("## `{axis}`\n\n");
        for entry in describe::list(axis).unwrap_or_default() {
            text += &format!("### `[{axis}.{}]`\n\n", entry.name);
            text += &page(&format!("{axis}.{}", entry.name));
        }
    }
    text
}

fn page(path: &str) -> String {
    let Ok(page) = describe::explain(path) else { return String::new() };
    let mut text = format!("{}\n\n", page.about);
    if !page.keys.is_empty() {
        text += &keys(&page);
    }
    text
}

/// The page of the entries of a table by name: axes that they choose from have their own sections.
fn entry(table: &str) -> String {
    let Ok(mut page) = describe::explain(&format!("{table}.{NAME}")) else { return String::new() };
    for key in page.keys.iter_mut().filter(|key| describe::axes().contains(&key.name.as_str())) {
        key.value = format!("as [`{0}`](#{0})", key.name);
    }
    format!("{}\n\n{}", page.about, keys(&page))
}

fn keys(page: &Page) -> String {
    let mut text = "| key | value | default | meaning |\n|---|---|---|---|\n".to_string();
    for key in &page.keys {
        let default = match &key.default {
            _ if key.required => "required".into(),
            Some(default) => format!("`{default}`"),
            None => String::new(),
        };
        text += &row(&[&format!("`{}`", key.name), &key.value, &default, &key.about]);
    }
    text + "\n"
}

/// A row of a Markdown table, in which a bar would begin another cell, even within code.
fn row(cells: &[&str]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_row_of_a_table_has_as_many_cells_as_its_head() {
        let page = super::recipe();
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with('|')).collect();
        assert!(rows.len() > 200 && rows.iter().any(|row| row.contains("\\|")));
        for row in rows {
            assert_eq!(cells(row), 5, "{row}");
        }
    }
}
