//! Numbers of an owner's own (a unit, an objective), as a member describes them before there is a network.

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Own {
    /// Its name, as in recipes.
    pub name: &'static str,
    /// Where it starts.
    pub start: f64,
    /// Where it stays, whatever it learns.
    pub range: (f64, f64),
}
