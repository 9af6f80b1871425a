//! The table of every combination, for the terminal and for the reference page.

use bouton::recipe::{Cell, combinations};

/// All combinations of one neuron.
pub struct Block {
    /// The neuron.
    pub neuron: String,
    /// The solvers, one per column.
    pub solvers: Vec<String>,
    /// Credit, objective and one mark per solver: `✔`, or the number of a note.
    pub rows: Vec<(String, String, Vec<String>)>,
}

/// The whole table.
pub struct Grid {
    /// One block per neuron.
    pub blocks: Vec<Block>,
    /// Why a combination is refused, and what to use instead; counted from 1.
    pub notes: Vec<(String, String)>,
}

impl Grid {
    /// The table of this version.
    pub fn new() -> Self {
        Self::of(combinations())
    }

    /// The table of some combinations.
    pub fn of(cells: Vec<Cell>) -> Self {
        let mut grid = Self { blocks: Vec::new(), notes: Vec::new() };
        for cell in cells {
            let mark = grid.mark(&cell);
            grid.add(cell, mark);
        }
        grid
    }

    fn mark(&mut self, cell: &Cell) -> String {
        let Some(note) = &cell.refusal else { return "✔".into() };
        let known = self.notes.iter().position(|n| n == note);
        let at = known.unwrap_or_else(|| {
            self.notes.push(note.clone());
            self.notes.len() - 1
        });
        (at + 1).to_string()
    }

    fn add(&mut self, cell: Cell, mark: String) {
        if self.blocks.last().is_none_or(|b| b.neuron != cell.neuron) {
            self.blocks.push(Block { neuron: cell.neuron, solvers: Vec::new(), rows: Vec::new() });
        }
        let Some(block) = self.blocks.last_mut() else { return };
        if !block.solvers.contains(&cell.solver) {
            block.solvers.push(cell.solver);
        }
        match block.rows.last_mut() {
            Some((c, o, marks)) if *c == cell.credit && *o == cell.objective => marks.push(mark),
            _ => block.rows.push((cell.credit, cell.objective, vec![mark])),
        }
    }

    /// The table as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for block in &self.blocks {
            let columns = block.solvers.len();
            text += &format!("## `{}`\n\n| credit | objective |", block.neuron);
            text += &block.solvers.iter().map(|s| format!(" {s} |")).collect::<String>();
            text += &format!("\n|---|---|{}\n", "---|".repeat(columns));
            for (credit, objective, marks) in &block.rows {
                let marks: String = marks.iter().map(|m| format!(" {m} |")).collect();
                text += &format!("| {credit} | {objective} |{marks}\n");
            }
            text.push('\n');
        }
        text += "## Notes\n\n";
        for (i, (reason, hint)) in self.notes.iter().enumerate() {
            text += &format!("{}. {reason}. *{hint}.*\n", i + 1);
        }
        text
    }
}

impl Default for Grid {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_stands_in_the_grid() {
        let grid = Grid::new();
        let marks: usize = grid.blocks.iter().flat_map(|b| &b.rows).map(|r| r.2.len()).sum();
        assert_eq!(marks, combinations().len());
        assert!(grid.blocks.iter().all(|b| b.rows.iter().all(|r| r.2.len() == b.solvers.len())));
        let relu = grid.blocks.iter().find(|b| b.neuron == "relu").unwrap();
        assert_eq!(relu.rows[0].2[0], "✔");
        let note: usize = relu.rows[0].2[1].parse().unwrap();
        assert!(grid.notes[note - 1].0.contains("even-odd"));
    }
}
