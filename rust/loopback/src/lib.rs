//! placeholder until the crate's owner fills it
