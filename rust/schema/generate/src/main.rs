//! Turns a FileDescriptorSet into prost types: `cargo run -- descriptors.bin ../src/generated`.

use std::{env, fs};

use prost::Message;
use prost_types::FileDescriptorSet;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().collect();
    let [_, descriptors, output] = arguments.as_slice() else {
        return Err("usage: generate descriptors.bin output-folder".into());
    };
    let files = FileDescriptorSet::decode(fs::read(descriptors)?.as_slice())?;
    let mut config = prost_build::Config::new();
    // Debug of 1,500 messages is a third of the compile time and nobody prints them.
    config.out_dir(output).skip_debug(["."]).include_file("mod.rs");
    config.compile_fds(files)?;
    Ok(())
}
