//! Ends `trace` at a certain run, whatever the machine's speed.

/// A shell command for `--prepare` that sends SIGINT to `trace` before its `n`th run, as Ctrl-C between two runs does.
pub fn interrupt_before(n: u32) -> String {
    format!("n=$(cat n 2>/dev/null || echo 0); n=$((n + 1)); echo $n >n; test $n -lt {n} || kill -INT $PPID")
}
