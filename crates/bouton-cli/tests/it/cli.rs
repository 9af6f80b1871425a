//! The command line as its users see it: `tests/cmd/*.trycmd` are sessions that must print what they show.
//!
//! After an intended change, `TRYCMD=overwrite cargo test -p bouton-cli --test it` writes the new output.

#[test]
fn sessions() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd").env("NO_COLOR", "1").env("BOUTON_DATA", "data");
}
