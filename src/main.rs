//! The `trace` program: parse, dispatch, exit code. Everything else is in the library.

fn main() -> std::process::ExitCode {
    trace::cli::run()
}
