//! All integration tests in one binary: linking the engine once is slow enough.
//!
//! Tests run the real program on the public data in `KHOYTE_DATA` (by default `../shared/data`
//! beside the project) and fail where it is not there.

#![allow(clippy::unwrap_used, reason = "a test, or what a test is made of, fails by panicking")]

mod accessibility;
mod browser;
mod bucket;
mod check;
mod clients;
mod crawl;
mod demonstration;
mod disclosure;
mod doctor;
mod growth;
mod hostile;
mod identifiers;
mod interrupted;
mod json_lines;
mod keys;
mod kinds;
mod logic;
mod marked;
mod night;
mod operator;
mod parts;
mod postgres;
mod published;
mod readers;
mod reload;
mod rights;
mod risk;
mod simulated;
mod storms;
mod support;
mod tidy;
mod users;
mod web;
mod web_door;
mod web_server;
