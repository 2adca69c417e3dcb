//! `khoyte`: the data warehouse and open-data publisher of the health sector, in one binary.
//!
//! This crate only parses the command line, reads the configuration and hands over; what the
//! product does lives in `warehouse`, `pipelines`, `open-data` and `dashboards`.

mod cli;
mod config;
mod report;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;
use tikv_jemallocator::Jemalloc;

/// Gives free memory back to the machine while others are at work: see `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let command_line = match cli::CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return cli::misused(&error),
    };
    let out = report::Reporter::new(command_line.quiet, command_line.log_json);
    cli::run(&command_line, &out)
}
