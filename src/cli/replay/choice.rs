//! Which ways of making calls `trace replay` compares.

use trace_replay::{Lookahead, Options, Strategy};

use super::Arguments;

/// What the options ask for, of all ways that there are.
pub fn strategies(arguments: &Arguments) -> Vec<Strategy> {
    let mut chosen = Vec::new();
    let for_writes = if arguments.writes { Options::strategies_for_writes() } else { Vec::new() };
    let tuned = if arguments.all { Options::tuned_strategies() } else { Vec::new() };
    // A program that knows its calls knows all of them.
    let knows_all = arguments.lookahead.is_none_or(|lookahead| lookahead == Lookahead::ALL);
    let given = arguments.all || (arguments.threads.is_some() && knows_all);
    let divided = if given { Options::divided_strategies() } else { Vec::new() };
    let more = [divided, tuned, for_writes].concat();
    for strategy in Options::default_strategies().into_iter().chain(more) {
        let is_main = [Lookahead::FAITHFUL, Lookahead::ALL].contains(&strategy.lookahead());
        let adapted = adapted(arguments, strategy);
        if (is_main || arguments.all) && is_asked(arguments, strategy) && !chosen.contains(&adapted) {
            chosen.push(adapted);
        }
    }
    chosen
}

/// What a plot of the cost against the size of batches has: each way with few and with many calls under way together,
/// for a program that knows its next calls.
pub fn sweep() -> impl Iterator<Item = Strategy> {
    /// A chain alone may be as long.
    const SHALLOWEST_CHAINS: u32 = 16;
    let lookahead = Lookahead::ALL;
    let threads = [1, 2, 4, 8, 16].map(|threads| Strategy::Threads { threads, lookahead });
    let depths = [1, 2, 4, 8, 16, 32, 64, 128, 256].into_iter();
    let rings = depths.flat_map(move |depth| {
        let chains = (depth >= SHALLOWEST_CHAINS).then_some(Strategy::Chains { depth, lookahead });
        let rings = [Strategy::Ring { depth, lookahead }, Strategy::Hybrid { depth, lookahead }];
        rings.into_iter().chain(chains)
    });
    threads.into_iter().chain(rings)
}

fn is_asked(arguments: &Arguments, strategy: Strategy) -> bool {
    let is_any = arguments.serial || arguments.uring || arguments.threads.is_some();
    match strategy {
        // The baseline, the ceiling, and what projections need.
        Strategy::Free | Strategy::Serial | Strategy::Thinking { .. } => true,
        _ if !is_any => true,
        // Threads are what a ring has to beat.
        Strategy::Threads { .. } => arguments.threads.is_some() || arguments.uring,
        Strategy::Divided { .. } => arguments.threads.is_some(),
        other => arguments.uring && other.needs_ring(),
    }
}

/// The same with the number of threads and the lookahead asked for.
fn adapted(arguments: &Arguments, strategy: Strategy) -> Strategy {
    let of = |lookahead| arguments.lookahead.unwrap_or(lookahead);
    match strategy {
        Strategy::Threads { threads, lookahead } => {
            Strategy::Threads { threads: arguments.threads.unwrap_or(threads), lookahead: of(lookahead) }
        }
        Strategy::Divided { threads, started } => {
            Strategy::Divided { threads: arguments.threads.unwrap_or(threads), started }
        }
        Strategy::Ring { depth, lookahead } => Strategy::Ring { depth, lookahead: of(lookahead) },
        Strategy::Tuned { tuning, depth, lookahead } => {
            Strategy::Tuned { tuning, depth, lookahead: of(lookahead) }
        }
        Strategy::Hybrid { depth, lookahead } => Strategy::Hybrid { depth, lookahead: of(lookahead) },
        Strategy::Chains { depth, lookahead } => Strategy::Chains { depth, lookahead: of(lookahead) },
        Strategy::TokioUring { depth, lookahead } => Strategy::TokioUring { depth, lookahead: of(lookahead) },
        Strategy::TokioBlocking { lookahead } => Strategy::TokioBlocking { lookahead: of(lookahead) },
        Strategy::Free
        | Strategy::Serial
        | Strategy::Thinking { .. }
        | Strategy::RingOne
        | Strategy::Fewer(_)
        | Strategy::Relative
        | Strategy::Memo { .. } => strategy,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn chosen(options: &[&str]) -> Vec<Strategy> {
        let line = ["replay"].iter().chain(options).chain(&["log"]);
        strategies(&Line::parse_from(line).arguments)
    }

    #[test]
    fn options_choose_strategies() {
        let all = [Options::default_strategies(), Options::divided_strategies(), Options::tuned_strategies()];
        let all = all.concat();
        assert_eq!(chosen(&["--all"]), all);
        let writes = chosen(&["--all", "--writes"]);
        assert_eq!(writes[all.len()..], Options::strategies_for_writes());
        let main = chosen(&[]);
        assert!(main.len() < all.len() && main.iter().all(|strategy| all.contains(strategy)));
        assert!(main.iter().any(|strategy| matches!(strategy, Strategy::Memo { .. })));
        let serial = chosen(&["--serial"]);
        assert_eq!(serial.len(), 4, "{serial:?}");
        assert!(serial.contains(&Strategy::Serial) && serial.contains(&Strategy::Free));
        let four = chosen(&["--threads", "8", "--lookahead", "4"]);
        let threads = Strategy::Threads { threads: 8, lookahead: Lookahead::calls(4) };
        assert_eq!(four[4..], [threads], "{four:?}");
        let three = chosen(&["--threads", "3"]);
        let divided = [false, true].map(|started| Strategy::Divided { threads: 3, started });
        assert!(divided.iter().all(|way| three.contains(way)), "{three:?}");
        let rings = chosen(&["--uring", "--lookahead", "all"]);
        assert!(rings.contains(&Strategy::RingOne));
        assert!(rings.contains(&Strategy::Threads { threads: 2, lookahead: Lookahead::ALL }));
        assert!(!rings.iter().any(|strategy| matches!(strategy, Strategy::Memo { .. })));
        let is_all = |strategy: &Strategy| strategy.lookahead() == Lookahead::ALL;
        assert!(rings[4..].iter().filter(|one| **one != Strategy::RingOne).all(is_all), "{rings:?}");
    }
}
