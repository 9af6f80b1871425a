//! Generates derived files.

fn main() {}
