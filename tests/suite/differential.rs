//! Real programs under strace and under a backend.
use std::path::Path;
use std::process::Command;
use crate::support::call::Call;
use crate::support::run::{self, run};
use crate::support::{strace, tree};

fn one(script: &str) -> tree::Tree {
    let dir = tempfile::tempdir().expect("dir");
    let out = tempfile::tempdir().expect("dir");
    let work = std::path::PathBuf::from("/tmp/diffwork");
    let _ = std::fs::remove_dir_all(&work);
    std::fs::create_dir(&work).unwrap();
    let log = out.path().join("log");
    let mut c = run::command("setarch", &work);
    c.args(["-R", "strace", "-f", "-y", "-xx", "-X", "raw", "-s", "0", "-o"]).arg(&log).args(["sh", "-c", script]);
    let r = run(&mut c);
    println!("{} {}", r.stdout, r.stderr);
    let _ = dir;
    tree::of(&strace::read(&log))
}

#[test]
fn noise() {
    let script = std::env::var("SCRIPT").unwrap();
    let (a, b) = (one(&script), one(&script));
    for (k, v) in &a {
        let Some(w) = b.get(k) else { println!("{k} missing in b"); continue };
        println!("{k}: {} {} calls", v.len(), w.len());
        let mut n = 0;
        for (x, y) in v.iter().zip(w) {
            if x != y { println!("   {x}\n   {y}"); n += 1; if n > 5 || x.name != y.name { break; } }
        }
    }
    println!("{} {} positions", a.len(), b.len());
}
