//! Compares TOML with the schema of recipes and says in plain words what does not fit.

use super::schema::{Kind, Member, Node};
use crate::Error;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One thing that does not fit.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Where it stands in the text (bytes).
    pub span: Range<usize>,
    /// What does not fit, with the key path.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Problem {
    /// The problem as an error without a place.
    pub fn into_error(self) -> Error {
        let error = Error::config(self.message);
        match self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// Everything in `document` that does not fit a recipe, in the order of the text.
pub(crate) fn document(document: &Spanned<DeTable<'_>>) -> Vec<Problem> {
    let mut problems = Vec::new();
    table(document.get_ref(), &document.span(), Node::root(), "", &mut problems);
    problems.sort_by_key(|p| p.span.start);
    problems
}

/// Everything in `value`, which stands at key `path`, that does not fit `node`.
pub(crate) fn value(value: &Spanned<DeValue<'_>>, node: Node, path: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    inspect(value, node, path, &mut problems);
    problems
}

fn inspect(value: &Spanned<DeValue<'_>>, node: Node, path: &str, problems: &mut Vec<Problem>) {
    let mut wrong = |message: String| {
        problems.push(Problem { span: value.span(), message, hint: None });
    };
    match (node.kind(), value.get_ref()) {
        (Kind::Table(_), DeValue::Table(t)) => table(t, &value.span(), node, path, problems),
        (Kind::Choice(members), v) => choice(v, &value.span(), &members, path, problems),
        (Kind::Either(any), _) => either(value, &any, node, path, problems),
        (Kind::List(item, len), DeValue::Array(list)) => {
            if let Some(n) = len.filter(|n| *n != list.len()) {
                wrong(format!("`{path}` has {} values, but {n} are needed", list.len()));
            }
            for (i, v) in list.iter().enumerate() {
                inspect(v, item, &format!("{path}[{i}]"), problems);
            }
        }
        (Kind::Whole, DeValue::Integer(i)) => match i64::from_str_radix(i.as_str(), i.radix()) {
            Ok(n) if n < 0 => wrong(format!("`{path}` is {n}, but cannot be negative")),
            Ok(_) => {}
            Err(_) => wrong(format!("`{path}` is too large: at most {}", i64::MAX)),
        },
        (Kind::Number, DeValue::Integer(_) | DeValue::Float(_))
        | (Kind::Text, DeValue::String(_))
        | (Kind::Flag, DeValue::Boolean(_)) => {}
        (_, v) => wrong(format!("`{path}` must be {}, not {}", node.expects(), found(v))),
    }
}

fn table(t: &DeTable<'_>, span: &Range<usize>, node: Node, path: &str, problems: &mut Vec<Problem>) {
    let Kind::Table(fields) = node.kind() else { return };
    for (key, value) in t {
        let name = key.get_ref().as_ref();
        let full = join(path, name);
        match node.field(name) {
            Some(field) => inspect(value, field, &full, problems),
            None => problems.push(Problem {
                span: key.span(),
                message: format!("unknown key `{full}`"),
                hint: Some(nearest(name, fields.iter().map(|f| f.0))),
            }),
        }
    }
    // A misspelt key is unknown and missing at once: only the first is worth telling.
    let misspelt = t.keys().any(|key| node.field(key.get_ref()).is_none());
    let absent = fields.iter().filter(|f| node.requires(f.0) && !t.contains_key(f.0) && !misspelt);
    for (name, field) in absent {
        problems.push(missing(path, name, *field, span));
    }
}

fn missing(path: &str, name: &str, field: Node, span: &Range<usize>) -> Problem {
    let full = join(path, name);
    let span = span.clone();
    let (message, hint) = match field.kind() {
        Kind::Choice(members) if members.iter().any(|m| m.table.is_some()) => {
            (format!("missing table `[{full}.…]`"), format!("{full} can be {}", names(&members)))
        }
        Kind::Table(_) => {
            (format!("missing table `[{full}]`"), format!("add `[{full}]`: {}", first_line(field)))
        }
        _ => {
            let place = if path.is_empty() { String::new() } else { format!(" in `[{path}]`") };
            (format!("missing key `{name}`{place}"), format!("add `{name} = …`: {}", first_line(field)))
        }
    };
    Problem { span, message, hint: Some(hint) }
}

fn choice(v: &DeValue<'_>, span: &Range<usize>, members: &[Member], path: &str, problems: &mut Vec<Problem>) {
    let mut push = |span: &Range<usize>, message: String, hint: String| {
        problems.push(Problem { span: span.clone(), message, hint: Some(hint) });
    };
    let find = |name: &str| members.iter().find(|m| m.name == name);
    let unknown = |name: &str| format!("unknown name `{name}` for `{path}`");
    match v {
        DeValue::String(word) => match find(word) {
            Some(Member { table: Some(_), .. }) => push(
                span,
                format!("`{path}` names a table, not text"),
                format!("write a table `[{path}.{word}]` instead"),
            ),
            Some(_) => {}
            None => push(span, unknown(word), nearest(word, members.iter().map(|m| m.name))),
        },
        DeValue::Table(t) => {
            let mut keys: Vec<_> = t.keys().collect();
            keys.sort_by_key(|k| k.span().start);
            let stranger = keys.iter().find(|key| find(key.get_ref()).is_none());
            match (keys.as_slice(), stranger) {
                ([], _) => {
                    push(span, format!("`[{path}]` is empty"), format!("{path} can be {}", names(members)))
                }
                (_, Some(key)) => push(
                    &key.span(),
                    unknown(key.get_ref()),
                    nearest(key.get_ref(), members.iter().map(|m| m.name)),
                ),
                ([key], None) => {
                    if let Some(m) = find(key.get_ref()) {
                        chosen(&t[*key], m, &join(path, m.name), problems);
                    }
                }
                ([a, b, ..], None) => push(
                    &b.span(),
                    format!("two choices for `{path}`: `{}` and `{}`", a.get_ref(), b.get_ref()),
                    format!("keep one of `[{path}.{}]` and `[{path}.{}]`", a.get_ref(), b.get_ref()),
                ),
            }
        }
        v => push(
            span,
            format!("`{path}` cannot be {}", found(v)),
            format!("{path} can be {}", names(members)),
        ),
    }
}

fn chosen(value: &Spanned<DeValue<'_>>, member: &Member, path: &str, problems: &mut Vec<Problem>) {
    match (member.table, value.get_ref()) {
        (Some(node), _) => inspect(value, node, path, problems),
        (None, DeValue::Table(t)) if t.is_empty() => {}
        (None, _) => problems.push(Problem {
            span: value.span(),
            message: format!("`{path}` has no settings"),
            hint: None,
        }),
    }
}

/// Fits if any alternative does; otherwise speaks about the alternative of the same shape, if there is one.
fn either(value: &Spanned<DeValue<'_>>, any: &[Node], node: Node, path: &str, problems: &mut Vec<Problem>) {
    let tries: Vec<_> = any.iter().map(|n| self::value(value, *n, path)).collect();
    if tries.iter().any(Vec::is_empty) {
        return;
    }
    let same_shape = |n: &Node| {
        matches!(
            (n.kind(), value.get_ref()),
            (Kind::List(..), DeValue::Array(_)) | (Kind::Whole, DeValue::Integer(_))
        )
    };
    match any.iter().position(same_shape).and_then(|i| tries.into_iter().nth(i)) {
        Some(own) => problems.extend(own),
        None => problems.push(Problem {
            span: value.span(),
            message: format!("`{path}` must be {}, not {}", node.expects(), found(value.get_ref())),
            hint: None,
        }),
    }
}

/// The value as it is shown in a message.
fn found(v: &DeValue<'_>) -> String {
    match v {
        DeValue::String(s) => format!("the text \"{s}\""),
        DeValue::Integer(i) => i.to_string(),
        DeValue::Float(f) => f.to_string(),
        DeValue::Boolean(b) => b.to_string(),
        DeValue::Datetime(_) => "a date".into(),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

/// "did you mean `x`?" if a known name is near, otherwise the list of known names.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let plain = |s: &str| s.to_lowercase().replace(['-', '_'], "");
    let mut all: Vec<_> = known.map(|k| (strsim::jaro_winkler(&plain(name), &plain(k)), k)).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    match all.first() {
        None => "this table has no keys".into(),
        Some((score, best)) if *score > 0.8 => format!("did you mean `{best}`?"),
        Some(_) => {
            let mut known: Vec<_> = all.iter().map(|(_, k)| format!("`{k}`")).collect();
            known.sort();
            format!("known are {}", known.join(", "))
        }
    }
}

/// Every name of a choice.
pub(crate) fn names(members: &[Member]) -> String {
    members.iter().map(|m| format!("`{}`", m.name)).collect::<Vec<_>>().join(", ")
}

/// `path.name`.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}

fn first_line(node: Node) -> String {
    let doc = node.doc();
    let sentence = doc.split_inclusive(". ").next().unwrap_or(doc).replace('\n', " ");
    sentence.trim().trim_end_matches('.').to_string()
}
