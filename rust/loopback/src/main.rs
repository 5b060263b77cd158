//! The simulator by itself, for development; installed, it is `wafast loopback`.

#![cfg_attr(clippy, deny(warnings))]

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    std::process::ExitCode::from(u8::try_from(wafast_loopback::run(&arguments)).unwrap_or(1))
}
