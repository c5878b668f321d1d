//! What holds for the rows of every log, whatever was recorded.

use std::collections::{HashMap, HashSet};

use trace::event::Kind;

use super::call::Call;
use super::log::{Log, Row};
use super::tree::makes_child;

/// Everything that is wrong with a log in itself.
pub fn faults(log: &Log) -> Vec<String> {
    let superseded = superseded(log);
    let rows: Vec<&Row> =
        log.rows.iter().filter(|row| row.pid != 0 && !superseded.contains(&row.pid)).collect();
    let mut faults = lifetimes(&rows);
    faults.extend(times(&rows));
    let calls = |wanted: fn(&Call) -> bool| {
        rows.iter().filter(|row| row.kind == Kind::Syscall && wanted(&row.call)).count()
    };
    let kinds = |kind| rows.iter().filter(|row| row.kind == kind).count();
    let forks = calls(|call| makes_child(&call.name) && call.ret.is_some_and(|ret| ret > 0));
    let execs = calls(|call| call.name.starts_with("execve") && call.ret == Some(0));
    if kinds(Kind::Exec) != execs {
        faults.push(format!("{} exec rows, {execs} successful calls", kinds(Kind::Exec)));
    }
    if kinds(Kind::Fork) < forks {
        faults.push(format!("{} fork rows, {forks} successful calls", kinds(Kind::Fork)));
    }
    faults
}

/// Processes in which a thread that is not the leader ran an exec and took its leader's id.
fn superseded(log: &Log) -> HashSet<u32> {
    let execs = log.rows.iter().filter(|row| row.call.name.starts_with("execve") && row.call.ret == Some(0));
    execs.filter(|row| row.call.tid != row.pid).map(|row| row.pid).collect()
}

/// Every thread but the first is made once before all else, and ends once after all else.
fn lifetimes(rows: &[&Row]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut made: HashSet<u32> = rows.first().map(|row| row.call.tid).into_iter().collect();
    let mut ended = HashSet::new();
    for row in rows {
        let tid = row.call.tid;
        if !made.contains(&tid) {
            faults.push(format!("thread {tid} has a {:?} row before it was made", row.kind));
            made.insert(tid);
        }
        if ended.contains(&tid) {
            faults.push(format!("thread {tid} has a {:?} row after its end", row.kind));
        }
        match row.kind {
            Kind::Fork => {
                let child = row.call.ret.and_then(|ret| u32::try_from(ret).ok()).unwrap_or(0);
                if !made.insert(child) {
                    faults.push(format!("thread {child} was made twice"));
                }
            }
            Kind::Exit => drop(ended.insert(tid)),
            _ => {}
        }
    }
    faults.extend(made.difference(&ended).map(|tid| format!("thread {tid} never ended")));
    faults
}

/// No call of a thread begins before the one before it ended.
fn times(rows: &[&Row]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut last: HashMap<u32, u64> = HashMap::new();
    for row in rows.iter().filter(|row| row.kind == Kind::Syscall) {
        let (start, end) = row.times_ns;
        let before = last.insert(row.call.tid, end.unwrap_or(start)).unwrap_or(0);
        if start < before || end.is_some_and(|end| end < start) {
            faults
                .push(format!("from {start} to {end:?} ns, the call before ended at {before}: {}", row.call));
        }
    }
    faults
}
