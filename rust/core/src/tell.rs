//! What this library says by itself: lines on stderr.

/// Like `eprintln!`, which ends the thread when nothing can be written: in a worker stderr is a file, and its disk may be
/// the one that is full. Nobody hears it then, and all goes on.
macro_rules! tell {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}
