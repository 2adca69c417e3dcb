//! The disclosure gate, through its public interface only.

mod alternatives;
mod bad_inputs;
mod command;
mod differences;
mod diseases;
mod linked;
mod microdata;
mod properties;
mod reader;
mod reports;
mod rules;
mod support;
mod turnover;
