//! The graph of an ONNX file: operators joined by the names of their values, and the numbers that they begin with.

use super::wire::Message;
use bouton_kernels::Mat;

/// The operators' version, and that of the file which it belongs to.
pub(super) const OPSET: i64 = 17;
const FILE_VERSION: i64 = 8;

/// Types of numbers, as ONNX counts them.
pub(super) const FLOAT: i64 = 1;
const INT8: i64 = 3;
const INT64: i64 = 7;

/// A setting of an operator.
#[derive(Clone, Copy, Debug)]
pub(super) enum Setting<'a> {
    /// A whole number.
    Int(i64),
    /// Several.
    Ints(&'a [i64]),
}

/// A graph that is being built.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Message>,
    constants: Vec<Message>,
}

impl Graph {
    /// The value of an operator; its name is made.
    pub fn op(&mut self, kind: &str, inputs: &[&str], settings: &[(&str, Setting<'_>)]) -> String {
        let output = format!("{}.{}", kind.to_lowercase(), self.nodes.len());
        self.named(&output, kind, inputs, settings);
        output
    }

    /// An operator whose value is called `output`.
    pub fn named(&mut self, output: &str, kind: &str, inputs: &[&str], settings: &[(&str, Setting<'_>)]) {
        let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
        let node = node.text(2, output).text(3, output).text(4, kind);
        self.nodes.push(settings.iter().fold(node, |node, (name, setting)| {
            let setting = match setting {
                Setting::Int(x) => Message::default().int(3, *x).int(20, 2),
                Setting::Ints(all) => Message::default().ints(8, all).int(20, 7),
            };
            node.message(5, &setting.text(1, name))
        }));
    }

    /// Numbers of this shape, in single precision.
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &[f64]) -> String {
        let bytes = values.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect();
        self.constant(name, FLOAT, shape, bytes)
    }

    /// One number.
    pub fn float(&mut self, x: f64) -> String {
        let name = format!("number.{}", self.constants.len());
        self.floats(&name, &[], &[x])
    }

    /// Whole numbers in a row.
    pub fn ints(&mut self, all: &[i64]) -> String {
        let name = format!("numbers.{}", self.constants.len());
        self.constant(&name, INT64, &[all.len()], all.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// A weight: where all of its numbers are ±s or 0, one byte each and s.
    pub fn weight(&mut self, name: &str, shape: &[usize], weight: &Mat) -> String {
        let values = weight.to_f64s();
        let size = values.iter().fold(0.0, |size: f64, x| size.max(x.abs()));
        if size == 0.0 || values.iter().any(|&x| x != 0.0 && x.abs() != size) {
            return self.floats(name, shape, &values);
        }
        let signs = values.iter().map(|&x| if x == 0.0 { 0 } else { x.signum() as i8 as u8 }).collect();
        let signs = self.constant(&format!("{name}.signs"), INT8, shape, signs);
        let signs = self.op("Cast", &[&signs], &[("to", Setting::Int(FLOAT))]);
        if size == 1.0 {
            return signs;
        }
        let scale = self.floats(&format!("{name}.scale"), &[], &[size]);
        self.op("Mul", &[&signs, &scale], &[])
    }

    fn constant(&mut self, name: &str, kind: i64, shape: &[usize], bytes: Vec<u8>) -> String {
        let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
        let tensor = Message::default().ints(1, &shape).int(2, kind).text(8, name).bytes(9, &bytes);
        self.constants.push(tensor);
        name.to_owned()
    }

    /// The file, with its `inputs` and `outputs` and what it says of itself.
    pub fn file(
        self,
        name: &str,
        inputs: &[Message],
        outputs: &[Message],
        said: &[(String, String)],
    ) -> Vec<u8> {
        let graph = Message::default().messages(1, &self.nodes).text(2, name).messages(5, &self.constants);
        let graph = graph.messages(11, inputs).messages(12, outputs);
        let operators = Message::default().text(1, "").int(2, OPSET);
        let file =
            Message::default().int(1, FILE_VERSION).text(2, "bouton").text(3, env!("CARGO_PKG_VERSION"));
        let file = file.message(7, &graph).message(8, &operators);
        let said = said.iter().map(|(key, text)| Message::default().text(1, key).text(2, text));
        file.messages(14, &said.collect::<Vec<_>>()).into_bytes()
    }
}

/// An input or output: samples of this shape, as many as `batch` says, and a word on what they are.
pub(super) fn samples(name: &str, shape: &[usize], about: &str) -> Message {
    let batch = Message::default().text(2, "batch");
    let dims = shape.iter().map(|&n| Message::default().int(1, n as i64));
    let dims: Vec<Message> = std::iter::once(batch).chain(dims).collect();
    let tensor = Message::default().int(1, FLOAT).message(2, &Message::default().messages(1, &dims));
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor)).text(3, about)
}
