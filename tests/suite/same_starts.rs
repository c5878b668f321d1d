//! How commands are begun, let go and tampered with under the link by the name `strace`: as under strace 6.1 itself.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::support::retry::alike_once;
use crate::support::run::{self, Run, run};
use crate::support::skip::skip;
use crate::support::strace;

/// Where `bin/strace` is going to be, and files that are no programs.
fn place(test: &str) -> Option<tempfile::TempDir> {
    let is_like = strace::is_there()
        && Path::new(REAL).exists()
        && run(run::command(REAL, Path::new("/")).arg("-V")).stdout.contains("version 6.1\n");
    if !is_like {
        skip(test, "no strace 6.1");
        return None;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::create_dir(dir.path().join("bin")).expect("our own directory");
    let foreign = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 9], &[2, 0, 0xb7, 0], &[0; 44]].concat();
    for (name, bytes, mode) in [
        ("text", b"hello\n".as_slice(), 0o755),
        ("empty", b"", 0o755),
        ("plain", b"#!/bin/sh\n", 0o644),
        ("script", b"#!/no/such/interpreter\n", 0o755),
        ("loop", b"#!./loop\n", 0o755),
        ("foreign", &foreign, 0o755),
    ] {
        let file = dir.path().join(name);
        fs::write(&file, bytes).expect("our own directory");
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("our own directory");
    }
    Some(dir)
}

/// strace itself.
const REAL: &str = "/usr/bin/strace";
/// What is to be like it.
const OURS: &str = env!("CARGO_BIN_EXE_trace");

/// What a script that calls `strace` comes to, which is this program: its end, its output, and the log.
fn done(dir: &Path, program: &str, script: &str) -> (Run, String) {
    let name = dir.join("bin/strace");
    let _ = fs::remove_file(&name);
    symlink(program, &name).expect("our own directory");
    // Only what was written by the end counts; nothing is left of a run before.
    let log = dir.join("log");
    let _ = fs::remove_file(&log);
    let path = format!("{}:/usr/bin:/bin", dir.join("bin").display());
    let done = run(run::command("/bin/sh", dir).env("PATH", path).args(["-c", script]));
    (done, fs::read_to_string(log).unwrap_or_default())
}

/// Without numbers, many of which are others each time: processes, addresses, times.
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    let mut in_word = None;
    for c in text.chars() {
        let is_of_number = match in_word {
            _ if !c.is_ascii_alphanumeric() => {
                in_word = None;
                out.push(c);
                continue;
            }
            Some(is_of_number) => is_of_number,
            None => {
                if c.is_ascii_digit() {
                    out.push('N');
                }
                c.is_ascii_digit()
            }
        };
        in_word = Some(is_of_number);
        if !is_of_number {
            out.push(c);
        }
    }
    out
}

/// Compares these scripts. What several processes do at one time may come in another order: such are tried again.
fn are_alike(dir: &Path, scripts: &[&str]) {
    for script in scripts {
        alike_once(script, || {
            let [theirs, ours] = [REAL, OURS].map(|program| {
                let (done, log) = done(dir, program, script);
                let text = [&done.stdout, &done.stderr, &log].map(|text| without_numbers(text));
                (done.status.code(), text)
            });
            if ours == theirs { Ok(()) } else { Err(format!("ours {ours:#?}\ntheirs {theirs:#?}")) }
        });
    }
}

#[test]
fn commands_that_cannot_be_executed_are_told_of_alike() {
    let Some(dir) = place("commands_that_cannot_be_executed_are_told_of_alike") else { return };
    let files = [
        "./text",
        "./empty",
        "./plain",
        "./script",
        "./loop",
        "./foreign",
        ".",
        "./text/x",
        "/dev/null",
        "''",
    ];
    let files = files.map(|file| format!("strace {file} word"));
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    are_alike(dir.path(), &files);
    are_alike(
        dir.path(),
        &[
            "strace=$(command -v strace); PATH=$PWD:/ $strace text",
            "strace=$(command -v strace); PATH=/: $strace plain",
            "strace=$(command -v strace); PATH=:/ $strace text",
            "strace -o log ./text",
            "strace -f -o log ./text",
            "strace -o '|cat' ./text",
            "strace -c -U calls,errors,name ./text",
            "strace -C -U calls,errors,name -o log ./text",
            "strace -e trace=none ./text",
            "strace -z ./text",
            "strace -qq -n ./text",
            "strace -D ./text",
            "strace -D -o log ./text",
            "strace --seccomp-bpf -f -e trace=execve ./text",
            // Nothing is done to the call that begins the command.
            "strace -e trace=execve -e inject=execve:error=EIO:when=1 true",
        ],
    );
}

#[test]
fn a_grandchild_traces_as_the_parent_does() {
    let Some(dir) = place("a_grandchild_traces_as_the_parent_does") else { return };
    are_alike(
        dir.path(),
        &[
            "strace -D -e trace=execve,write sh -c 'echo hi; (exit 3); exit 4'",
            "strace -DD -o log -e trace=execve,write sh -c 'echo hi; exit 4'",
            "strace -DDD -f -o log -e trace=execve,exit_group sh -c '/bin/true; exit 3'",
            "strace --daemonize=pgroup -e trace=execve true",
            "strace --daemonised=session -e trace=execve true",
            "strace -D -o log -e trace=execve sh -c 'kill -KILL $$'",
            "strace -D -C -U calls,name -o log -e trace=execve sh -c 'exit 2'",
            "strace -D -f --seccomp-bpf -o log -e trace=execve sh -c '/bin/true; exit 3'",
            "strace -D -b execve -f -o log -e trace=execve sh -c '/bin/true; exit 3'",
            "strace -D -q -p 4194304 -e trace=execve sh -c 'exit 3'",
            "strace -D -qq -e trace=none sh -c 'wait; echo $?; cat /proc/$$/task/$$/children'",
            "trap '' CHLD; exec strace -D -e trace=execve sh -c '/bin/true; exit 3'",
            // It is the caller's child.
            "sh -c 'strace -D -qq -e trace=none sh -c \"[ \\$PPID = $$ ]\"; echo $?'",
        ],
    );
}

/// Nothing is left stopped, and nobody ends, where the tracer is killed.
#[test]
fn a_command_outlives_its_grandchild() {
    let Some(dir) = place("a_command_outlives_its_grandchild") else { return };
    let script = "read x < fifo; kill -9 $(sed -n 's/^TracerPid:\t//p' /proc/$$/status); echo fine; exit 5";
    let script = format!(
        "mkfifo -m 600 fifo; (echo > fifo) & strace -D -f -o log sh -c '{}'",
        script.replace('\'', "'\\''")
    );
    let (run, _) = done(dir.path(), OURS, &script);
    assert_eq!((run.status.code(), run.stdout.as_str()), (Some(5), "fine\n"), "{run:?}");
}

#[test]
fn processes_are_traced_beside_a_command() {
    let Some(dir) = place("processes_are_traced_beside_a_command") else { return };
    let scripts = ["", "-o log", "-f -o log", "-q", "-o '|cat'", "-c -U calls,name -S name"].map(|options| {
        format!(
            "sleep 100 & strace {options} -e trace=execve,exit_group,kill -p $! sh -c \"kill $!; sleep 0.2; exit 4\""
        )
    });
    are_alike(dir.path(), &scripts.each_ref().map(String::as_str));
    are_alike(
        dir.path(),
        &[
            "strace -p 4194304 -e trace=execve sh -c 'exit 3'",
            "strace -p 4194304 -o log -e trace=execve sh -c 'exit 3'",
            "strace -p 4194304 -e trace=execve ./text",
            "sleep 0.3 & strace -p $! -qq -e trace=none sh -c 'exit 3'",
        ],
    );
}

#[test]
fn who_executes_another_program_is_let_go() {
    let Some(dir) = place("who_executes_another_program_is_let_go") else { return };
    are_alike(
        dir.path(),
        &[
            "strace -b execve -e trace=execve sh -c 'exec true'",
            "strace -b execve -f -e trace=execve sh -c '/bin/true; exit 2'",
            "strace -bexecve -f -o log -e trace=execve sh -c '/bin/true; exit 2'",
            "strace --detach-on=execve -q -f -e trace=execve sh -c '/bin/true; exit 2'",
            "strace --detach-on=execve -f --seccomp-bpf -e trace=execve sh -c '/bin/true; exit 2'",
            "strace -b execve -f -e status=detached -e trace=execve sh -c '/bin/true; exit 2'",
            "strace -b execve -e trace=execve ./text",
        ],
    );
}

#[test]
fn calls_are_tampered_with_alike() {
    let Some(dir) = place("calls_are_tampered_with_alike") else { return };
    are_alike(
        dir.path(),
        &[
            "strace -e trace=getuid,close -e inject=getuid,close:retval=-1:when=1 id -u",
            "strace -e trace=getuid -Z -e inject=getuid:retval=-4095 id -u",
            "strace -e trace=getuid -e inject=getuid:retval=-4096 id -u",
            "strace -c -U calls,errors,name -e trace=getuid -e inject=getuid:retval=-1 id -u",
            "strace -e trace=getuid -e inject=getuid:syscall=getpid:retval=7 id -u",
            "strace -e trace=getuid -e fault=getuid:syscall=getpid id -u",
            "strace -e trace=access -e inject=access:poke_enter=@arg1=585858 true",
            "strace -e trace=access -e inject=access:poke_exit=@arg1=58:retval=0 true",
            "strace -e trace=access -e inject=access:poke_enter=@arg1=58,@arg2=41:delay_exit=1 true",
            "strace -e trace=access -e inject=access:poke_enter=@arg7=58 true",
            "strace -e trace=access -e inject=access:poke_exit=@arg2=58 true",
            "strace -f --seccomp-bpf -o log -e trace=access -e inject=access:poke_exit=@arg1=58 true",
        ],
    );
}

/// What later versions of strace have beside.
#[test]
fn nobody_outlives_the_tracer_where_that_is_asked_for() {
    let Some(dir) = place("nobody_outlives_the_tracer_where_that_is_asked_for") else { return };
    let script = "kill -9 $PPID; sleep 10; echo no";
    let (run, _) = done(dir.path(), OURS, &format!("strace --kill-on-exit -o log sh -c '{script}'; echo $?"));
    assert_eq!(run.stdout, "137\n", "{run:?}");
    let (run, _) = done(
        dir.path(),
        OURS,
        "strace --argv0=other -o log -e trace=execve true; grep -c '\\[\"other\"\\]' log",
    );
    assert_eq!(run.stdout, "1\n", "{run:?}");
}
