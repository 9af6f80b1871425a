//! The plan of a network as a drawing: populations from the data on the left to the output on the right, an arrow a connection.

use super::Figure;
use bouton::Result;
use bouton::network::{Carries, Role};
use bouton::recipe::{ConnectionPlan, NetworkPlan, Recipe, variant_name};
use bouton::train::RunDir;
use std::fmt::Write;

/// Side of a box, and the room that it takes.
const BOX: [usize; 2] = [150, 44];
const ROOM: [usize; 2] = [230, 84];

/// The network of a run; none if its recipe is not one of this version.
///
/// # Errors
/// None: a run without a plan has a report all the same.
pub fn network(run: &RunDir) -> Result<Option<Figure>> {
    let Ok(recipe) = Recipe::load(run.recipe()) else { return Ok(None) };
    let Ok(plan) = NetworkPlan::new(&recipe) else { return Ok(None) };
    let caption = "Each box is a population, each arrow a connection; dashed ones do not learn, red ones carry errors alone. \
        `bouton run RECIPE --print-network` prints the same.";
    Ok(Some(Figure { title: "Network".into(), caption: caption.into(), svg: drawing(&plan) }))
}

/// Column and row of every population: one column behind what drives it, in the order of the plan.
fn cells(plan: &NetworkPlan<'_>) -> Vec<[usize; 2]> {
    let mut cells: Vec<[usize; 2]> = Vec::new();
    for p in 0..plan.populations.len() {
        let before =
            plan.connections.iter().filter(|c| c.post == p && c.pre < p && c.carries != Carries::Errors);
        let column = before.map(|c| cells[c.pre][0] + 1).max().unwrap_or(0);
        let row = cells.iter().filter(|cell| cell[0] == column).count();
        cells.push([column, row]);
    }
    cells
}

fn drawing(plan: &NetworkPlan<'_>) -> String {
    let cells = cells(plan);
    let most = |k: usize| cells.iter().map(|cell| cell[k] + 1).max().unwrap_or(1);
    let [width, height] = [most(0) * ROOM[0], most(1) * ROOM[1]];
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0 0 L8 4 L0 8 z\" fill=\"#666666\"/></marker></defs>\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"
    );
    for c in &plan.connections {
        let [from, to] = c.ends();
        svg += &arrow(plan, c, cells[from], cells[to]);
    }
    for (p, cell) in plan.populations.iter().zip(&cells) {
        let [x, y] = corner(*cell);
        let kind = match p.role {
            Role::Clamped => "data".to_owned(),
            Role::Forward if p.neuron.method().traits().settles() => "readout".to_owned(),
            Role::Settling | Role::Forward | Role::Stepping => variant_name(p.neuron),
        };
        let fill = if p.is_judged() {
            "#fde8d0"
        } else if p.role == Role::Clamped {
            "#e3ecf7"
        } else {
            "#f2f2f2"
        };
        let (middle, units) = (x + BOX[0] / 2, p.shape.units());
        let _ = write!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"5\" fill=\"{fill}\" stroke=\"#666666\"/>\
             <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" font-weight=\"bold\">{}</text>\
             <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{units} · {kind}</text>",
            BOX[0],
            BOX[1],
            y + 18,
            p.name,
            y + 35,
        );
    }
    svg + "</svg>"
}

fn corner([column, row]: [usize; 2]) -> [usize; 2] {
    [column * ROOM[0] + 20, row * ROOM[1] + 20]
}

fn arrow(plan: &NetworkPlan<'_>, c: &ConnectionPlan<'_>, from: [usize; 2], to: [usize; 2]) -> String {
    let ([x, y], [u, v]) = (corner(from), corner(to));
    let forward = from[0] < to[0];
    // Back within a loop: out of the bottom, into the bottom.
    let [a, b, d, e] = if forward {
        [x + BOX[0], y + BOX[1] / 2, u, v + BOX[1] / 2]
    } else if from == to {
        [x + BOX[0] / 2, y + BOX[1], u + BOX[0] - 20, v + BOX[1]]
    } else {
        [x + 20, y + BOX[1], u + 20, v + BOX[1]]
    };
    let bend = if forward {
        format!("C{} {b} {} {e}", a + 40, d - 40)
    } else {
        format!("C{a} {} {d} {}", b + 30, e + 30)
    };
    let dash = if c.learns { "" } else { " stroke-dasharray=\"4 3\"" };
    let errors = c.carries == Carries::Errors;
    let (what, colour) =
        if errors { ("errors".into(), "#c0392b") } else { (variant_name(c.synapse), "#666666") };
    let title = format!("{}: {}, {what}", c.name, plan.populations[c.ends()[0]].name);
    format!(
        "<path d=\"M{a} {b} {bend} {d} {e}\" fill=\"none\" stroke=\"{colour}\"{dash} marker-end=\"url(#tip)\"><title>{title}</title></path>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn populations_stand_behind_what_drives_them() {
        let text = "[task.synthetic]\nshape = [1, 2, 4]\nclasses = 3\ntrain = 6\ntest = 6\nbatch = 6\nepochs = 1\n\
            [network]\nlayers = [8, 6, 5, 3]\n[neuron.relu]\n[credit.backprop]\n[optim.sgd]\nlr = 0.1\n\
            [population.side]\nunits = 4\n[connection.in]\nfrom = \"input\"\nto = \"side\"\nlearn = false\n\
            [connection.on]\nfrom = \"side\"\nto = \"output\"\n";
        let recipe = Recipe::parse(text, "net.toml").unwrap();
        let plan = NetworkPlan::new(&recipe).unwrap();
        let names: Vec<&str> = plan.populations.iter().map(|p| &*p.name).collect();
        let place = |name: &str| cells(&plan)[names.iter().position(|n| *n == name).unwrap()];
        assert_eq!(
            ["input", "hidden1", "side", "hidden2", "output"].map(place),
            [[0, 0], [1, 0], [1, 1], [2, 0], [3, 0]]
        );
        let svg = drawing(&plan);
        assert_eq!((svg.matches("<rect x=").count(), svg.matches("<path d=\"M").count()), (5, 6));
        assert_eq!(svg.matches("stroke-dasharray").count(), 1);
        assert!(svg.contains(">4 · relu<") && svg.contains("<title>on: side, plain</title>"));
    }
}
