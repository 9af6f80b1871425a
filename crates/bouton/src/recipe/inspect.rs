//! Compares TOML with the schema of recipes and says in plain words what does not fit.

use super::names::refused;
use super::schema::{Kind, Member, Node};
use crate::Error;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a problem comes from, the likeliest cause first: an unknown key explains a missing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// A name that is not known here.
    Unknown,
    /// A value that does not fit its key.
    Wrong,
    /// A key that has to be there.
    Missing,
}

/// One thing that does not fit.
#[derive(Debug)]
pub(crate) struct Problem {
    /// What it comes from.
    pub cause: Cause,
    /// Where it stands in the text (bytes).
    pub span: Range<usize>,
    /// What does not fit, with the key path.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Problem {
    fn new(cause: Cause, span: &Range<usize>, message: String) -> Self {
        Self { cause, span: span.clone(), message, hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The problem as an error without a place.
    pub fn into_error(self) -> Error {
        let error = Error::config(self.message);
        match self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// Most problems that are told at once.
const MOST: usize = 20;

/// `problems` as one error; `place` is what stands before each.
pub(crate) fn error(mut problems: Vec<Problem>, place: impl Fn(&Problem) -> String) -> Error {
    if problems.len() == 1 {
        let mut only = problems.remove(0);
        only.message = place(&only) + &only.message;
        return only.into_error();
    }
    let line = |p: &Problem| {
        let hint = p.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}{}{hint}", place(p), p.message)
    };
    let mut lines: Vec<_> = problems.iter().take(MOST).map(line).collect();
    if let Some(more) = problems.len().checked_sub(MOST).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    Error::config(lines.join("\n"))
}

/// Everything in `document` that does not fit a recipe, the likeliest causes first, each in the order of the text.
pub(crate) fn document(document: &Spanned<DeTable<'_>>) -> Vec<Problem> {
    let mut problems = Vec::new();
    table(document.get_ref(), &document.span(), Node::root(), "", &mut problems);
    problems.sort_by_key(|p| (p.cause, p.span.start));
    problems
}

/// Everything in `value`, which stands at key `path`, that does not fit `node`.
pub(crate) fn value(value: &Spanned<DeValue<'_>>, node: Node, path: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    inspect(value, node, path, &mut problems);
    problems
}

fn inspect(value: &Spanned<DeValue<'_>>, node: Node, path: &str, problems: &mut Vec<Problem>) {
    let mut wrong = |message: String| problems.push(Problem::new(Cause::Wrong, &value.span(), message));
    match (node.kind(), value.get_ref()) {
        (Kind::Table(_), DeValue::Table(t)) => table(t, &value.span(), node, path, problems),
        (Kind::Map(entry), DeValue::Table(t)) => map(t, entry, path, problems),
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
        (Kind::Whole, DeValue::Integer(_)) | (Kind::Number, DeValue::Integer(_) | DeValue::Float(_)) => {
            problems.extend(beyond(value, node, path));
        }
        (Kind::Text, DeValue::String(_)) | (Kind::Flag, DeValue::Boolean(_)) => {}
        (kind, v) => {
            let message = format!("`{path}` must be {}, not {}", node.expects(), found(v));
            let whole =
                number(v).filter(|x| matches!(kind, Kind::Whole) && x.fract() == 0.0 && x.abs() < 1e15);
            let problem = Problem::new(Cause::Wrong, &value.span(), message);
            problems.push(match whole {
                Some(x) => problem.hint(format!("write {x}, without a point or an exponent")),
                None => problem,
            });
        }
    }
}

/// What is wrong with a number that is not within its bounds.
fn beyond(value: &Spanned<DeValue<'_>>, node: Node, path: &str) -> Option<Problem> {
    let bounds = node.bounds()?;
    if number(value.get_ref()).is_some_and(|x| bounds.hold(x)) {
        return None;
    }
    let message = format!("`{path}` is {}, but must be {bounds}", found(value.get_ref()));
    let problem = Problem::new(Cause::Wrong, &value.span(), message);
    Some(match bounds.hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    })
}

/// A number as a float; what no integer of TOML can hold is infinite.
fn number(v: &DeValue<'_>) -> Option<f64> {
    match v {
        DeValue::Integer(i) => Some(match i64::from_str_radix(i.as_str(), i.radix()) {
            Ok(n) => n as f64,
            Err(_) if i.as_str().starts_with('-') => f64::NEG_INFINITY,
            Err(_) => f64::INFINITY,
        }),
        DeValue::Float(f) => f.as_str().parse().ok(),
        _ => None,
    }
}

fn table(t: &DeTable<'_>, span: &Range<usize>, node: Node, path: &str, problems: &mut Vec<Problem>) {
    let Kind::Table(fields) = node.kind() else { return };
    let mut guessed = Vec::new();
    for (key, value) in t {
        let name = key.get_ref().as_ref();
        let full = join(path, name);
        let Some(field) = node.field(name) else {
            let known = || fields.iter().map(|f| f.0);
            guessed.extend(guess(name, known()));
            let problem = Problem::new(Cause::Unknown, &key.span(), format!("unknown key `{full}`"));
            problems.push(problem.hint(nearest(name, known())));
            continue;
        };
        inspect(value, field, &full, problems);
    }
    // A misspelt key is unknown and missing at once: only the first is worth telling.
    let absent = |name: &str| node.requires(name) && !t.contains_key(name) && !guessed.contains(&name);
    for (name, field) in fields.iter().filter(|f| absent(f.0)) {
        problems.push(missing(path, name, *field, span));
    }
}

/// Names are free, within their rule; what stands there is not looked at before the name is one.
fn map(t: &DeTable<'_>, entry: Node, path: &str, problems: &mut Vec<Problem>) {
    for (key, value) in t {
        let full = join(path, key.get_ref());
        match refused(key.get_ref()) {
            None => inspect(value, entry, &full, problems),
            Some(hint) => {
                problems.push(Problem::new(Cause::Wrong, &key.span(), misnamed(&full)).hint(hint));
            }
        }
    }
}

/// An entry has a name that is none.
pub(crate) fn misnamed(full: &str) -> String {
    format!("`{}` cannot be called so", full.escape_debug())
}

fn missing(path: &str, name: &str, field: Node, span: &Range<usize>) -> Problem {
    let full = join(path, name);
    let (message, hint) = match field.kind() {
        Kind::Choice(members) if members.iter().any(|m| m.table.is_some()) => {
            (format!("missing table `[{full}.…]`"), format!("{full} can be {}", names(&members)))
        }
        Kind::Table(_) | Kind::Map(_) => {
            (format!("missing table `[{full}]`"), format!("add `[{full}]`: {}", first_line(field)))
        }
        _ => {
            let place = if path.is_empty() { String::new() } else { format!(" in `[{path}]`") };
            (format!("missing key `{name}`{place}"), format!("add `{name} = …`: {}", first_line(field)))
        }
    };
    Problem::new(Cause::Missing, span, message).hint(hint)
}

fn choice(v: &DeValue<'_>, span: &Range<usize>, members: &[Member], path: &str, problems: &mut Vec<Problem>) {
    let mut push = |cause, span: &Range<usize>, message: String, hint: String| {
        problems.push(Problem::new(cause, span, message).hint(hint));
    };
    let find = |name: &str| members.iter().find(|m| m.name == name);
    let unknown = |name: &str| format!("unknown name `{name}` for `{path}`");
    match v {
        DeValue::String(word) => match find(word) {
            Some(Member { table: Some(_), .. }) => push(
                Cause::Wrong,
                span,
                format!("`{path}` names a table, not text"),
                format!("write a table `[{path}.{word}]` instead"),
            ),
            Some(_) => {}
            None => push(Cause::Unknown, span, unknown(word), nearest(word, members.iter().map(|m| m.name))),
        },
        DeValue::Table(t) => {
            let mut keys: Vec<_> = t.keys().collect();
            keys.sort_by_key(|k| k.span().start);
            let stranger = keys.iter().find(|key| find(key.get_ref()).is_none());
            match (keys.as_slice(), stranger) {
                ([], _) => push(
                    Cause::Missing,
                    span,
                    format!("`[{path}]` is empty"),
                    format!("{path} can be {}", names(members)),
                ),
                (_, Some(key)) => push(
                    Cause::Unknown,
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
                    Cause::Wrong,
                    &b.span(),
                    format!("two choices for `{path}`: `{}` and `{}`", a.get_ref(), b.get_ref()),
                    format!("keep one of `[{path}.{}]` and `[{path}.{}]`", a.get_ref(), b.get_ref()),
                ),
            }
        }
        v => push(
            Cause::Wrong,
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
        (None, _) => {
            let message = format!("`{path}` has no settings");
            problems.push(Problem::new(Cause::Wrong, &value.span(), message));
        }
    }
}

/// Fits if any alternative does; otherwise speaks about the one of the same shape that has the fewest problems.
fn either(value: &Spanned<DeValue<'_>>, any: &[Node], node: Node, path: &str, problems: &mut Vec<Problem>) {
    let same_shape = |n: &&Node| {
        matches!(
            (n.kind(), value.get_ref()),
            (Kind::List(..), DeValue::Array(_))
                | (Kind::Table(_) | Kind::Map(_), DeValue::Table(_))
                | (Kind::Choice(_), DeValue::String(_) | DeValue::Table(_))
                | (Kind::Whole, DeValue::Integer(_))
                | (Kind::Number, DeValue::Integer(_) | DeValue::Float(_))
                | (Kind::Text, DeValue::String(_))
        )
    };
    let tries = any.iter().filter(same_shape).map(|n| self::value(value, *n, path));
    match tries.min_by_key(Vec::len) {
        Some(fewest) => problems.extend(fewest),
        None => {
            let message = format!("`{path}` must be {}, not {}", node.expects(), found(value.get_ref()));
            problems.push(Problem::new(Cause::Wrong, &value.span(), message));
        }
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
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<_> = known.collect();
    if known.is_empty() {
        return "this table has no keys".into();
    }
    if let Some(best) = guess(name, known.iter().copied()) {
        return format!("did you mean `{best}`?");
    }
    known.sort_unstable();
    format!("known are {}", known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "))
}

/// The known name that `name` is likely to mean.
fn guess<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |s: &str| s.to_lowercase().replace(['-', '_'], "");
    let scored = known.map(|k| (strsim::jaro_winkler(&plain(name), &plain(k)), k));
    // The first of equally near ones.
    let best = scored.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.filter(|(score, _)| *score > 0.8).map(|(_, best)| best)
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
