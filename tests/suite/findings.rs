//! Findings of real programs: each is run under `trace startup` twice, with what a finding is about and without.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::support::programs::executable;
use super::support::run;
use super::support::skip::skip;

/// What `trace startup` finds in a command, by kind.
fn findings(dir: &Path, variables: &[(&str, &str)], command: &[&str]) -> BTreeMap<String, Value> {
    let mut startup = run::command(env!("CARGO_BIN_EXE_trace"), dir);
    startup.args(["startup", "--json", "--runs", "1", "-o"]).arg(dir.join("log.trace")).args(command);
    for (name, value) in variables {
        startup.env(name, value);
    }
    let done = run::run(&mut startup);
    assert!(done.status.success(), "{command:?}: {}", done.stderr);
    let report: Value = serde_json::from_str(&done.stdout).expect("a report");
    let list = report["findings"]["list"].as_array().expect("a list").clone();
    list.into_iter().map(|finding| (finding["kind"].as_str().expect("a kind").to_owned(), finding)).collect()
}

/// The count of a piece of evidence whose object ends like this.
fn count(finding: &Value, ending: &str) -> u64 {
    let all = finding["evidence"].as_array().expect("evidence");
    let found =
        all.iter().find(|evidence| evidence["object"].as_str().is_some_and(|name| name.ends_with(ending)));
    found.and_then(|evidence| evidence["count"].as_u64()).unwrap_or(0)
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a scratch directory")
}

/// A Python 3 that is no shim.
fn python(test: &str) -> Option<&'static str> {
    let found =
        ["/usr/bin/python3", "/usr/local/bin/python3"].into_iter().find(|path| Path::new(path).exists());
    if found.is_none() {
        skip(test, "there is no Python 3 in /usr/bin or /usr/local/bin");
    }
    found
}

fn empty_directories(dir: &Path, number: usize) -> Vec<String> {
    let make = |n: usize| {
        let path = dir.join(format!("empty{n}"));
        fs::create_dir(&path).expect("a directory");
        path.to_string_lossy().into_owned()
    };
    (0..number).map(make).collect()
}

#[test]
fn a_path_of_empty_directories() {
    let dir = scratch();
    let empty = empty_directories(dir.path(), 20);
    let command = ["/bin/sh", "-c", "true & cat /dev/null"];
    let path = format!("{}:/usr/bin:/bin", empty.join(":"));
    let with = findings(dir.path(), &[("PATH", &path)], &command);
    let found = &with["program-search"];
    assert!(count(found, "/empty0") >= 1, "{found}");
    let drop = found["remedy"]["drop"].as_array().expect("directories");
    assert!(empty.iter().all(|path| drop.iter().any(|dropped| dropped == path)), "{found}");
    let without = findings(dir.path(), &[("PATH", "/usr/bin:/bin")], &command);
    assert!(!without.contains_key("program-search"), "{without:?}");
}

#[test]
fn a_library_path_of_empty_directories() {
    let dir = scratch();
    let empty = empty_directories(dir.path(), 10);
    let command = ["/bin/ls", "/dev/null"];
    let with = findings(dir.path(), &[("LD_LIBRARY_PATH", &empty.join(":"))], &command);
    let found = &with["library-search"];
    assert!(count(found, "/empty3") >= 1, "{found}");
    assert_eq!(found["remedy"]["drop"].as_array().map(Vec::len), Some(10), "{found}");
    assert!(with.get("missed-lookups").is_none_or(|other| count(other, "/empty3") == 0), "{with:?}");
    let without = findings(dir.path(), &[], &command);
    assert!(!without.contains_key("library-search"), "{without:?}");
}

#[test]
fn modules_without_bytecode() {
    let Some(python) = python("modules_without_bytecode") else { return };
    let dir = scratch();
    for name in ["one", "two", "three"] {
        fs::write(dir.path().join(format!("{name}.py")), "x = [n * n for n in range(10)]\n")
            .expect("a module");
    }
    fs::write(dir.path().join("main.py"), "import one, two, three\n").expect("a script");
    let script = dir.path().join("main.py");
    let command = [python, script.to_str().expect("UTF-8")];
    let with = findings(dir.path(), &[("PYTHONDONTWRITEBYTECODE", "1")], &command);
    let name = dir.path().file_name().expect("a name").to_string_lossy().into_owned();
    assert_eq!(count(&with["bytecode"], &name), 3, "{}", with["bytecode"]);
    // The first run, which is not traced, writes it.
    let without = findings(dir.path(), &[], &command);
    assert!(without.get("bytecode").is_none_or(|found| count(found, &name) == 0), "{without:?}");
}

#[test]
fn a_long_search_path_of_python() {
    let Some(python) = python("a_long_search_path_of_python") else { return };
    let dir = scratch();
    let empty = empty_directories(dir.path(), 20);
    let command = [python, "-c", "import json, argparse"];
    let with = findings(dir.path(), &[("PYTHONPATH", &empty.join(":"))], &command);
    let found = &with["python-path"];
    assert!(found["saving"]["calls"].as_u64() >= Some(40), "{found}");
    let drop = found["remedy"]["kind"].as_str();
    assert!(matches!(drop, Some("python_isolated" | "shorter_python_path")), "{found}");
    let without = findings(dir.path(), &[], &command);
    let calls = without.get("python-path").and_then(|found| found["saving"]["calls"].as_u64());
    assert!(calls < found["saving"]["calls"].as_u64(), "{without:?}");
}

#[test]
fn a_program_that_repeats_itself() {
    let Some(python) = python("a_program_that_repeats_itself") else { return };
    let dir = scratch();
    let work = "\
import os
os.mkdir('d') if not os.path.exists('d') else None
for n in range(20):
    os.makedirs('d', exist_ok=True)
    os.listdir('d')
    os.stat('/etc/hostname-that-is-not-there') if os.path.exists('/etc/hostname-that-is-not-there') else None
for n in range(8):
    open(f'd/{n}', 'w').close()
    os.stat(f'd/{n}')
    open(f'd/{n}').close()
with open('d/f', 'wb') as f:
    f.write(b'x' * 4000)
    f.flush()
    os.fsync(f.fileno())
with open('d/f', 'rb', buffering=0) as f:
    while f.read(100):
        pass
";
    fs::write(dir.path().join("work.py"), work).expect("a script");
    fs::write(dir.path().join("rest.py"), "print('nothing')\n").expect("a script");
    let script = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let with = findings(dir.path(), &[], &[python, "-I", "-S", &script("work.py")]);
    let without = findings(dir.path(), &[], &[python, "-I", "-S", &script("rest.py")]);
    let expected = [
        ("mkdir-exists", "/d", 20),
        ("listed-again", "/d", 19),
        ("small-reads", "/d/f", 38),
        ("fsync", "/d/f", 1),
    ];
    for (kind, object, times) in expected {
        let found = with.get(kind).unwrap_or_else(|| panic!("no {kind}: {:?}", with.keys()));
        assert!(count(found, object) >= times, "{found}");
        assert!(!without.contains_key(kind), "{kind}: {}", without[kind]);
    }
    assert!(count(&with["repeated-lookups"], "not-there") >= 19, "{}", with["repeated-lookups"]);
    assert!(with["stat-before-open"]["saving"]["calls"].as_u64() >= Some(8), "{}", with["stat-before-open"]);
    let lines = with["questions"]["evidence"].as_array().map(Vec::len);
    assert!(lines >= Some(2), "{}", with["questions"]);
}

#[test]
fn a_wrapper_and_many_short_programs() {
    let dir = scratch();
    let script = |text: &str| {
        let path = dir.path().join("wrapper");
        executable(&path, text.as_bytes());
        findings(dir.path(), &[], &[path.to_str().expect("UTF-8")])
    };
    let with = script("#!/bin/sh\nexport X=1\nexec /bin/ls /dev/null\n");
    let found = &with["wrapper"];
    assert_eq!(found["remedy"]["kind"], "direct", "{found}");
    assert_eq!(found["remedy"]["program"], "/bin/ls", "{found}");
    assert_eq!(found["remedy"]["argv"], serde_json::json!(["/bin/ls", "/dev/null"]), "{found}");
    // What does work of its own is no mere wrapper.
    let with = script("#!/bin/sh\nfor n in 1 2 3 4 5 6; do /bin/true; done\nexec /bin/ls /dev/null\n");
    assert!(with["wrapper"]["remedy"].is_null(), "{}", with["wrapper"]);
    let writes = script("#!/bin/sh\necho x > written\nexec /bin/ls /dev/null\n");
    assert!(writes["wrapper"]["remedy"].is_null(), "{}", writes["wrapper"]);
    assert_eq!(count(&with["short-programs"], "true"), 6, "{}", with["short-programs"]);
    let without = findings(dir.path(), &[], &["/bin/ls", "/dev/null"]);
    assert!(!without.contains_key("wrapper") && !without.contains_key("short-programs"), "{without:?}");
}

#[test]
fn perl_that_looks_in_empty_directories() {
    if !Path::new("/usr/bin/perl").exists() {
        skip("perl_that_looks_in_empty_directories", "there is no perl");
        return;
    }
    let dir = scratch();
    let empty = empty_directories(dir.path(), 5);
    let command = ["/usr/bin/perl", "-MFile::Basename", "-MText::ParseWords", "-e", "1"];
    let with = findings(dir.path(), &[("PERL5LIB", &empty.join(":"))], &command);
    assert!(count(&with["module-search"], "/empty4") >= 2, "{}", with["module-search"]);
    let without = findings(dir.path(), &[], &command);
    assert!(without.get("module-search").is_none_or(|found| count(found, "/empty4") == 0), "{without:?}");
}

#[test]
fn a_time_zone_asked_for_again_and_again() {
    if !Path::new("/usr/bin/perl").exists() {
        skip("a_time_zone_asked_for_again_and_again", "there is no perl");
        return;
    }
    let dir = scratch();
    let command = ["/usr/bin/perl", "-e", "my @x = localtime for 1..50"];
    let with = findings(dir.path(), &[], &command);
    assert!(count(&with["time-zone"], "/etc/localtime") >= 49, "{}", with["time-zone"]);
    assert_eq!(with["time-zone"]["remedy"]["kind"], "name_time_zone");
    let without = findings(dir.path(), &[("TZ", ":/etc/localtime")], &command);
    assert!(!without.contains_key("time-zone"), "{without:?}");
}

#[test]
fn a_connection() {
    let Some(python) = python("a_connection") else { return };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let dir = scratch();
    let connect = format!("import _socket; _socket.socket().connect(('127.0.0.1', {}))", address.port());
    let with = findings(dir.path(), &[], &[python, "-I", "-S", "-c", &connect]);
    assert!(count(&with["network"], &format!("inet:{address}")) >= 1, "{}", with["network"]);
    let without = findings(dir.path(), &[], &[python, "-I", "-S", "-c", "import _socket; _socket.socket()"]);
    assert!(!without.contains_key("network"), "{without:?}");
}

#[test]
fn a_python_that_needs_no_installed_package() {
    let Some(python) = python("a_python_that_needs_no_installed_package") else { return };
    let dir = scratch();
    let script = dir.path().join("x.py");
    fs::write(&script, "print(1)\n").expect("a script");
    let script = script.to_str().expect("UTF-8");
    let with = findings(dir.path(), &[], &[python, "-I", script]);
    assert_eq!(with["site"]["remedy"]["kind"], "python_no_site", "{}", with["site"]);
    let without = findings(dir.path(), &[], &[python, "-I", "-S", script]);
    assert!(!without.contains_key("site"), "{without:?}");
}

#[test]
fn many_path_files() {
    let Some(python) = python("many_path_files") else { return };
    let dir = scratch();
    let base = [("PYTHONUSERBASE", dir.path().to_str().expect("UTF-8"))];
    let place = run::run(
        run::command(python, dir.path())
            .env(base[0].0, base[0].1)
            .args(["-c", "import site; print(site.getusersitepackages(), end='')"]),
    );
    fs::create_dir_all(&place.stdout).expect("a directory");
    for n in 0..5 {
        fs::write(Path::new(&place.stdout).join(format!("p{n}.pth")), "/nowhere\n").expect("a file");
    }
    let with = findings(dir.path(), &base, &[python, "-s", "-c", "1"]);
    assert!(with.get("pth").is_none_or(|found| count(found, "/p4.pth") == 0), "{with:?}");
    let with = findings(dir.path(), &base, &[python, "-c", "1"]);
    assert!(count(&with["pth"], "/p4.pth") >= 2, "{}", with["pth"]);
}

#[test]
fn a_path_file_that_imports_much() {
    let Some(python) = python("a_path_file_that_imports_much") else { return };
    let dir = scratch();
    let home = dir.path().join("venv");
    let venv = run::run(run::command(python, dir.path()).args(["-m", "venv", "--without-pip"]).arg(&home));
    assert!(venv.status.success(), "{}", venv.stderr);
    let own = home.join("bin/python");
    let own = own.to_str().expect("UTF-8");
    let place = run::run(
        run::command(own, dir.path())
            .args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'), end='')"]),
    );
    let file = Path::new(&place.stdout).join("heavy.pth");
    fs::write(&file, "/nowhere\n").expect("a file");
    let without = findings(dir.path(), &[], &[own, "-c", "1"]);
    assert!(without.get("pth").is_none_or(|found| count(found, "/heavy.pth") == 0), "{without:?}");
    fs::write(&file, "import unittest.mock, http.client\n").expect("a file");
    let with = findings(dir.path(), &[], &[own, "-c", "1"]);
    assert!(count(&with["pth"], "/heavy.pth") >= 20, "{}", with["pth"]);
    assert!(with["pth"]["saving"]["at_most_share"].as_f64() > Some(0.1), "{}", with["pth"]);
}

#[test]
fn figures_asked_of_the_kernel_again_and_again() {
    let Some(python) = python("figures_asked_of_the_kernel_again_and_again") else { return };
    let dir = scratch();
    let ask = |file: &str| format!("for n in range(20): open('{file}').read()");
    let with = findings(dir.path(), &[], &[python, "-I", "-S", "-c", &ask("/proc/self/status")]);
    assert!(count(&with["proc-files"], "/status") >= 40, "{}", with["proc-files"]);
    let without = findings(dir.path(), &[], &[python, "-I", "-S", "-c", &ask("/etc/passwd")]);
    let calls = without.get("proc-files").and_then(|found| found["saving"]["calls"].as_u64());
    assert!(calls < Some(40), "{without:?}");
}

#[test]
fn data_of_a_language() {
    let dir = scratch();
    let command = ["/bin/ls", "/dev/null"];
    let with = findings(dir.path(), &[("LC_ALL", "xx_YY.UTF-8"), ("LANGUAGE", "")], &command);
    assert!(with["locale"]["saving"]["calls"].as_u64() >= Some(8), "{with:?}");
    let without = findings(dir.path(), &[("LC_ALL", "C"), ("LANGUAGE", "")], &command);
    assert!(!without.contains_key("locale"), "{without:?}");
}

/// Compiles C.
fn compile(dir: &Path, arguments: &[&str]) {
    let done = run::run(run::command("gcc", dir).args(arguments));
    assert!(done.status.success(), "{}", done.stderr);
}

#[test]
fn a_program_of_many_libraries() {
    let dir = scratch();
    fs::write(dir.path().join("empty.c"), "int main(void) { return 0; }\n").expect("a source");
    compile(dir.path(), &["-o", "few", "empty.c"]);
    fs::write(dir.path().join("part.c"), "int NAME(void) { return 1; }\n").expect("a source");
    let names: Vec<String> = (0..16).map(|n| format!("part{n}")).collect();
    let files: Vec<String> = names.iter().map(|name| format!("./{name}.so")).collect();
    for (name, file) in names.iter().zip(&files) {
        compile(dir.path(), &["-shared", "-fPIC", &format!("-DNAME={name}"), "-o", file, "part.c"]);
    }
    let mut link = vec!["-Wl,--no-as-needed", "-o", "many", "empty.c"];
    link.extend(files.iter().map(String::as_str));
    compile(dir.path(), &link);
    let with = findings(dir.path(), &[], &["./many"]);
    assert!(count(&with["libraries"], "part7.so") >= 1, "{with:?}");
    let without = findings(dir.path(), &[], &["./few"]);
    assert!(!without.contains_key("libraries"), "{without:?}");
}

#[test]
fn an_object_full_of_addresses() {
    let dir = scratch();
    let table = "static int x;\nstatic TYPE table[400000] = { [0 ... 399999] = VALUE };\n\
                 int used(int n) { return table[n] == (TYPE)((long)&x + 1); }\n";
    fs::write(dir.path().join("table.c"), table).expect("a source");
    fs::write(dir.path().join("main.c"), "int used(int);\nint main(void) { return used(7); }\n")
        .expect("a source");
    let build = |name: &str, options: [&str; 2]| {
        let library = format!("lib{name}.so");
        let flags = ["-shared", "-fPIC", "-Wl,-z,relro", "-o", &library, "table.c"];
        compile(dir.path(), &[&flags[..], &options].concat());
        compile(dir.path(), &["-o", name, "main.c", &format!("./{library}")]);
        findings(dir.path(), &[], &[&format!("./{name}")])
    };
    let with = build("addresses", ["-DTYPE=char *const", "-DVALUE=(char *)&x"]);
    // 400,000 addresses of eight bytes, in the part that is made read-only afterwards.
    assert_eq!(count(&with["relocation"], "libaddresses.so") / 100, 31, "{}", with["relocation"]);
    let without = build("numbers", ["-DTYPE=const long", "-DVALUE=2"]);
    assert!(!without.contains_key("relocation"), "{}", without["relocation"]);
}

#[test]
fn a_bare_program_has_little_to_say() {
    let dir = scratch();
    let all = findings(dir.path(), &[], &["/bin/true"]);
    let large: Vec<_> = all.values().filter(|finding| finding["small"] == false).collect();
    assert!(large.is_empty(), "{large:?}");
}
