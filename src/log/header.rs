//! What a log says of itself: everything known before its first event.

use serde::{Deserialize, Serialize};

/// The version of the log format that this build writes.
pub const FORMAT_VERSION: u32 = 2;

/// Name of the option that says why eBPF did not record, though it would have been chosen.
pub const NOT_EBPF: &str = "not_ebpf";

/// Name of the option that says how many CPU samples a second were asked for.
pub const SAMPLE_HZ: &str = "sample_hz";

/// Name of the option that says what took them, where it was not perf events.
pub const SAMPLED_BY: &str = "sampled_by";

/// Name of the option of a log whose CPU samples are without the kernel's part, since that was not permitted.
pub const SAMPLED_USER_ONLY: &str = "sampled_user_only";

/// Name of the option that says how long a sample held up the program, in nanoseconds, as measured before.
pub const SAMPLE_COST_NS: &str = "sample_cost_ns";

/// The metadata of a log, stored as JSON in the Arrow schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Format version, see [`FORMAT_VERSION`].
    pub format: u32,
    /// Version of `trace` that wrote the log.
    pub writer: String,
    /// The traced command, one string an argument (non-UTF-8 bytes as [`crate::event::escape`] has them).
    pub command: Vec<String>,
    /// The directory it was started in.
    pub cwd: String,
    /// Number of environment variables and a hash of them, to tell two runs' environments apart
    /// without storing secrets.
    pub environment: Environment,
    /// The machine.
    pub host: Host,
    /// Name of the capture backend (`ptrace`, ...).
    pub backend: String,
    /// What `start_ns` and `end_ns` mean.
    pub clock: Clock,
    /// What the backend costs a call on this machine, measured before the command was started.
    pub calibration: Option<Calibration>,
    /// Untraced runs of the same command, made by `trace startup`.
    pub untraced: Option<Untraced>,
    /// Options of the recording that change what is in the log, by name.
    pub options: std::collections::BTreeMap<String, String>,
    /// Traced runs of the same command, of which this log is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Repeats>,
    /// The calls were replayed since, and the log has a column with what each took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed: Option<Replayed>,
}

/// Name of the option under which a log says how many bytes of each buffer it keeps, if it keeps what pointers point
/// to.
pub const KEPT_BYTES: &str = "kept_bytes";

/// Name of the option of a log whose stacks are those of another run: how many calls it has, how many of them were
/// found in that run, and how many that run has beside them, with blanks between. The last one may be missing.
pub const ALIGNED: &str = "aligned";

/// Name of the option under which a log says which frames the stacks of its calls have.
pub const STACKS: &str = "stacks";

impl Header {
    /// Whether the log has the column `memory`.
    #[must_use]
    pub fn keeps_memory(&self) -> bool {
        self.options.contains_key(KEPT_BYTES)
    }

    /// How many bytes of each buffer it keeps.
    #[must_use]
    pub fn kept_bytes(&self) -> Option<usize> {
        self.options.get(KEPT_BYTES)?.parse().ok()
    }

    /// Why eBPF did not record, where it would have been chosen ([`NOT_EBPF`]).
    #[must_use]
    pub fn not_ebpf(&self) -> Option<&str> {
        self.options.get(NOT_EBPF).map(String::as_str)
    }

    /// How many calls the log has, and how many of them have a counterpart in the run that their stacks are of
    /// ([`ALIGNED`]).
    #[must_use]
    pub fn aligned(&self) -> Option<(u64, u64)> {
        let mut numbers = self.options.get(ALIGNED)?.split(' ').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    }

    /// How many calls that run has beside them; `None`: not known.
    #[must_use]
    pub fn only_with_stacks(&self) -> Option<u64> {
        self.options.get(ALIGNED)?.split(' ').nth(2)?.parse().ok()
    }

    /// Which frames the stacks of calls have, as it was asked for ([`STACKS`]).
    #[must_use]
    pub fn stacks(&self) -> Option<&str> {
        self.options.get(STACKS).map(String::as_str)
    }

    /// CPU samples a second that were asked for, if any were ([`SAMPLE_HZ`]).
    #[must_use]
    pub fn sample_hz(&self) -> Option<u32> {
        self.options.get(SAMPLE_HZ)?.parse().ok()
    }

    /// How long a CPU sample held up the program, in nanoseconds, where that was measured ([`SAMPLE_COST_NS`]).
    #[must_use]
    pub fn sample_cost_ns(&self) -> Option<u64> {
        self.options.get(SAMPLE_COST_NS)?.parse().ok()
    }

    /// Whether the kernel's part is missing from CPU samples by perf events ([`SAMPLED_USER_ONLY`]).
    #[must_use]
    pub fn sampled_user_only(&self) -> bool {
        self.options.contains_key(SAMPLED_USER_ONLY)
    }

    /// What took the CPU samples, where it was not perf events ([`SAMPLED_BY`]).
    #[must_use]
    pub fn sampled_by(&self) -> Option<&str> {
        self.options.get(SAMPLED_BY).map(String::as_str)
    }
}

/// See [`Header::environment`].
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Environment {
    /// Number of variables.
    pub variables: usize,
    /// A hash of all names and values, in hexadecimal.
    pub digest: String,
}

/// What the calls about files took in several traced runs of a command, one entry a run.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Repeats {
    /// Which run the log is of.
    pub kept: usize,
    /// Calls that returned.
    pub calls: Vec<u64>,
    /// What they took together, as recorded.
    pub calls_ns: Vec<u64>,
}

impl Repeats {
    /// What the calls took in each run, in parts of what they took in the one that the log is of; `probe_ns` is what
    /// recording added to each call. Empty where that cannot be told.
    #[must_use]
    pub fn ratios(&self, probe_ns: f64) -> Vec<f64> {
        let cost = |(&calls, &ns): (&u64, &u64)| ns as f64 - probe_ns * calls as f64;
        let costs: Vec<f64> = self.calls.iter().zip(&self.calls_ns).map(cost).collect();
        match costs.get(self.kept) {
            Some(&own) if own > 0.0 && costs.iter().all(|cost| *cost > 0.0) => {
                costs.iter().map(|cost| cost / own).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// How the calls of a log were replayed, one after the other, to learn what each costs.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Replayed {
    /// What the caches held.
    pub cache: String,
    /// How many runs each cost is the median of.
    pub runs: usize,
    /// The program's pauses between calls were waited for, the processor's caches disturbed as it does.
    pub pauses: bool,
    /// Calls that were replayed.
    pub calls: u64,
    /// Where that was.
    pub host: Host,
}

/// The machine a log was recorded on.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Host {
    /// Host name (`uname -n`).
    pub name: String,
    /// Kernel release (`uname -r`).
    pub kernel: String,
    /// Machine (`uname -m`).
    pub machine: String,
    /// Model name of the first CPU, from `/proc/cpuinfo`.
    pub cpu: String,
    /// CPUs the recorder was allowed to use.
    pub cpus: usize,
    /// How long a clock tick of the kernel lasts, in nanoseconds; 0: not known.
    #[serde(default)]
    pub tick_ns: u64,
}

/// The clock of all times in a log.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Clock {
    /// Its name in `clock_gettime(2)`.
    pub name: String,
    /// Its reading, in nanoseconds, that is time 0 of the log.
    pub origin_ns: u64,
    /// Nanoseconds since the epoch at the same moment.
    pub realtime_ns: u64,
}

/// What a traced call costs: durations of a call that does nothing, as the backend sees them.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Calibration {
    /// The call used (`getppid`).
    pub call: String,
    /// How many were made.
    pub calls: u64,
    /// What one costs untraced, in nanoseconds (median).
    pub untraced_ns: u64,
    /// Elapsed time a traced call adds to the program, in nanoseconds (median).
    pub added_ns: u64,
    /// Mean of the durations the backend reports for it, in nanoseconds.
    pub mean_ns: u64,
    /// Median of the same.
    pub p50_ns: u64,
    /// 90th percentile.
    pub p90_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// Longest.
    pub max_ns: u64,
    /// The whole distribution: (highest duration of the bucket in nanoseconds, calls in it).
    pub histogram: Vec<(u64, u64)>,
}

/// Runs without any tracer, which tell the true times.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Untraced {
    /// The first run, which warms caches up and is not counted.
    pub first: Option<Run>,
    /// The counted runs in order. Stored as one list a figure: a quick command makes hundreds of runs.
    #[serde(with = "columns")]
    pub runs: Vec<Run>,
    /// Runs before each of which the page cache was emptied, if some were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cold: Option<Cold>,
}

/// Runs with a cold page cache.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cold {
    /// How the cache was emptied.
    pub method: Emptied,
    /// The runs.
    #[serde(with = "columns")]
    pub runs: Vec<Run>,
}

/// How the page cache was emptied.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "name")]
pub enum Emptied {
    /// `/proc/sys/vm/drop_caches`: page cache, dentries and inodes of the whole system.
    #[default]
    DropCaches,
    /// `posix_fadvise(POSIX_FADV_DONTNEED)`: the page cache of the files that a traced run had opened. Dentries
    /// and inodes stay.
    Fadvise {
        /// How many files.
        files: u64,
        /// Why not all caches were dropped.
        refused: String,
    },
}

/// Resources of one run of the command, as `wait4(2)` reports them for its process and the
/// descendants it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Run {
    /// From just before the fork to the end of the command's first process, without the time for
    /// which a signal had stopped it.
    pub wall_ns: u64,
    /// The part of that from the fork until the new process called `execve`; 0 where it is not known.
    pub launch_ns: u64,
    /// CPU time in user mode.
    pub user_ns: u64,
    /// CPU time in the kernel.
    pub system_ns: u64,
    /// Page faults without I/O.
    pub minor_faults: u64,
    /// Page faults with I/O.
    pub major_faults: u64,
    /// Voluntary context switches.
    pub voluntary_switches: u64,
    /// Involuntary context switches.
    pub involuntary_switches: u64,
    /// Largest resident set of any one process, in KiB; 0 where it is not known, because it was no
    /// larger than the recorder's own (which the kernel's figure of a new process includes).
    pub max_rss_kib: u64,
}

/// Runs as one list a figure.
mod columns {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Run;

    #[derive(Default, Serialize, Deserialize)]
    struct Columns {
        wall_ns: Vec<u64>,
        #[serde(default)]
        launch_ns: Vec<u64>,
        user_ns: Vec<u64>,
        system_ns: Vec<u64>,
        minor_faults: Vec<u64>,
        major_faults: Vec<u64>,
        voluntary_switches: Vec<u64>,
        involuntary_switches: Vec<u64>,
        max_rss_kib: Vec<u64>,
    }

    pub fn serialize<S: Serializer>(runs: &[Run], serializer: S) -> Result<S::Ok, S::Error> {
        let column = |figure: fn(&Run) -> u64| runs.iter().map(figure).collect();
        Columns {
            wall_ns: column(|run| run.wall_ns),
            launch_ns: column(|run| run.launch_ns),
            user_ns: column(|run| run.user_ns),
            system_ns: column(|run| run.system_ns),
            minor_faults: column(|run| run.minor_faults),
            major_faults: column(|run| run.major_faults),
            voluntary_switches: column(|run| run.voluntary_switches),
            involuntary_switches: column(|run| run.involuntary_switches),
            max_rss_kib: column(|run| run.max_rss_kib),
        }
        .serialize(serializer)
    }

    /// A figure that is missing for a run (a log is hostile input) is 0.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Run>, D::Error> {
        let columns = Columns::deserialize(deserializer)?;
        let at = |column: &[u64], run: usize| column.get(run).copied().unwrap_or(0);
        let run = |run| Run {
            wall_ns: at(&columns.wall_ns, run),
            launch_ns: at(&columns.launch_ns, run),
            user_ns: at(&columns.user_ns, run),
            system_ns: at(&columns.system_ns, run),
            minor_faults: at(&columns.minor_faults, run),
            major_faults: at(&columns.major_faults, run),
            voluntary_switches: at(&columns.voluntary_switches, run),
            involuntary_switches: at(&columns.involuntary_switches, run),
            max_rss_kib: at(&columns.max_rss_kib, run),
        };
        Ok((0..columns.wall_ns.len()).map(run).collect())
    }
}
