//! The `bouton` command.

fn main() -> std::process::ExitCode {
    bouton_cli::main()
}
