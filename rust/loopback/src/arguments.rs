//! What the command line says.

use std::path::PathBuf;

/// Shown when the arguments are wrong.
pub const USAGE: &str = "usage: wafast loopback --dir DIR [--control-port N] [--proxy-port N] [--seed N]";

/// Settings of a run.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    /// Where everything lies, the profile `loopback.json` too.
    pub folder: PathBuf,
    /// 0: the system chooses.
    pub control_port: u16,
    pub proxy_port: u16,
    /// Makes the server's keys and everyone's identity reproducible.
    pub seed: Option<u64>,
}

impl Arguments {
    /// Reads them.
    ///
    /// # Errors
    /// One is unknown, has no value or a wrong one, or `--dir` is missing.
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut folder = None;
        let mut parsed = Self { folder: PathBuf::new(), control_port: 0, proxy_port: 0, seed: None };
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            let value = rest.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--dir" => folder = Some(PathBuf::from(value)),
                "--control-port" => parsed.control_port = number(name, value)?,
                "--proxy-port" => parsed.proxy_port = number(name, value)?,
                "--seed" => parsed.seed = Some(number(name, value)?),
                _ => return Err(format!("unknown argument {name}")),
            }
        }
        parsed.folder = folder.ok_or("--dir is missing")?;
        Ok(parsed)
    }
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{name} {value} is not a number it takes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Arguments, String> {
        Arguments::parse(&text.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_are_read() {
        let parsed = parse("--seed 7 --dir /tmp/x --control-port 9").unwrap();
        assert_eq!((parsed.folder.to_str(), parsed.control_port, parsed.seed), (Some("/tmp/x"), 9, Some(7)));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in
            [("", "--dir"), ("--dir", "value"), ("--dir x --seed y", "--seed y"), ("--what 1", "--what")]
        {
            assert!(parse(text).unwrap_err().contains(part), "{text}");
        }
    }
}
