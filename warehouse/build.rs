//! Rebuilds the crate when a declaration changes: contracts, reference lists and queries are
//! embedded in the binary.

fn main() {
    for folder in ["../queries", "../pipelines/contracts", "../pipelines/reference"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
