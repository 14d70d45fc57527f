//! Makes the code and the descriptor of `proto/zeugma/evidence/v1/evidence.proto`. The compiler of the language is a
//! library, so nothing need be installed, and nothing generated is committed.

use std::path::Path;
use std::{env, fs};

const FILE: &str = "zeugma/evidence/v1/evidence.proto";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rerun-if-changed=build.rs");
    let descriptors = protox::Compiler::new(["proto"])?
        .include_imports(true)
        .include_source_info(true)
        .open_file(FILE)?
        .file_descriptor_set();
    let out = env::var_os("OUT_DIR").ok_or("the build tool sets OUT_DIR")?;
    // Comments are for the generated code; reflection does without.
    let mut served = descriptors.clone();
    for file in &mut served.file {
        file.source_code_info = None;
    }
    fs::write(Path::new(&out).join("evidence.bin"), prost::Message::encode_to_vec(&served))?;
    tonic_prost_build::configure().build_transport(false).bytes(".").compile_fds(descriptors)?;
    Ok(())
}
