//! Findings about Python.

use super::*;

#[test]
fn directories_of_sys_path() {
    let entries = times(8, |n| format!("/extra{n}"));
    let search = || entries.iter().map(|entry| stat_directory(entry));
    let import = |n: usize| {
        let file = format!("/usr/lib/python3.11/__pycache__/m{n}.cpython-311.pyc");
        search().chain([stat_directory("/usr/lib/python3.11"), open(&file)])
    };
    let listed = || entries.iter().flat_map(|entry| list(entry));
    let with = lines(PYTHON, listed().chain((0..4).flat_map(import)));
    let without =
        lines(PYTHON, (0..4).map(|n| open(&format!("/usr/lib/python3.11/__pycache__/m{n}.cpython-311.pyc"))));
    let found = check("python-path", &with, &without);
    assert_eq!(found.saving.calls, 8 * (2 + 4));
    assert_eq!(found.remedy, Some(Remedy::PythonIsolated), "nothing but Python's own modules was loaded");
    let own = with.iter().map(|line| line.replace("python3.11/__pycache__/m3", "mine/__pycache__/m3"));
    let found = find("python-path", &own.collect::<Vec<_>>()).unwrap();
    let drop = entries.iter().map(|entry| entry.as_str().into()).collect();
    assert_eq!(found.remedy, Some(Remedy::ShorterPythonPath { drop }));
    // The current directory (here, that of the script) is in no variable.
    let here = with.iter().map(|line| line.replace("python3.11/__pycache__/m3", "mine/__pycache__/m3"));
    let here = log(&here.map(|line| line.replace("/extra7", "/home/u")).collect::<Vec<_>>());
    let header = Header { cwd: "/home/u".to_owned(), ..runs() };
    let found = findings_of(&here, &header).list.into_iter().find(|finding| finding.kind == "python-path");
    let Some(Remedy::ShorterPythonPath { drop }) = found.and_then(|found| found.remedy) else {
        panic!("{here}")
    };
    assert_eq!(drop.len(), 7);
}

#[test]
fn sources_compiled() {
    let source =
        |n: usize| [no_open(&format!("/m/__pycache__/m{n}.cpython-311.pyc")), open(&format!("/m/m{n}.py"))];
    let bytecode = |n: usize| [open(&format!("/m/__pycache__/m{n}.cpython-311.pyc"))];
    let found =
        check("bytecode", &lines(PYTHON, (0..4).flat_map(source)), &lines(PYTHON, (0..4).flat_map(bytecode)));
    let Some(Remedy::CompileBytecode { directories, python, no_environment, optimize }) = &found.remedy
    else {
        panic!("{found:?}")
    };
    assert_eq!(directories, &["/m".into()]);
    assert_eq!((python.bytes().starts_with(b"/"), no_environment, optimize), (true, &false, &0), "{found:?}");
    assert_eq!(evidence(&found), [("/m".to_owned(), 4)]);
    let said = String::from_utf8(found.what.bytes().to_vec()).unwrap();
    assert_eq!(
        said,
        "4 Python modules were compiled from source: there was no bytecode; nobody tried to write it \
         (PYTHONDONTWRITEBYTECODE, python -B)"
    );
    // A traceback reads the source of what was loaded long before.
    let traceback =
        lines(PYTHON, (0..4).flat_map(bytecode).chain([stat("/m/m0.py"), open("/m/m0.py"), stat("/x")]));
    assert_eq!(find("bytecode", &traceback), None);
    // The script itself is always compiled.
    assert_eq!(find("bytecode", &lines(PYTHON, [open("/home/u/x.py"), stat("/x")])), None);
}

#[test]
fn stale_and_unwritable_bytecode() {
    let write = |n: usize, how: &str| {
        format!(
            r#"openat(AT_FDCWD</home/u>, "/m/__pycache__/m{n}.cpython-311.pyc.1", O_WRONLY|O_CREAT, 0644) = {how}"#
        )
    };
    let stale = |n: usize, how: &'static str| {
        let pyc = format!("/m/__pycache__/m{n}.cpython-311.pyc");
        [
            open(&pyc),
            format!("read(3<{pyc}>, \"\"..., 9000) = 900"),
            open(&format!("/m/m{n}.py")),
            write(n, how),
        ]
    };
    let said = |how: &'static str| {
        let found = find("bytecode", &lines(PYTHON, (0..3).flat_map(|n| stale(n, how)))).unwrap();
        String::from_utf8(found.what.bytes().to_vec()).unwrap()
    };
    let refused = "-1 EACCES (Permission denied)";
    assert!(
        said(refused).ends_with("their bytecode was stale; it could not be written"),
        "{}",
        said(refused)
    );
    assert!(said("4</m/x>").ends_with("it was written, so the next run has it"), "{}", said("4</m/x>"));
}

#[test]
fn python_2_looks_at_the_source_first() {
    let all = findings_of(&fixture("2.7-uses"), &runs());
    let found = all.list.iter().find(|finding| finding.kind == "bytecode").unwrap();
    assert_eq!(evidence(found), [("/home/u/pkg".to_owned(), 3)], "all others had bytecode");
    let found = all.list.iter().find(|finding| finding.kind == "library-search").unwrap();
    let lib = "/opt/python/2.7.18/lib".to_owned();
    assert_eq!(evidence(found), [(lib, 22)], "candidates for modules are not the loader's");
}

#[test]
fn long_imports() {
    let slow = |directory: &'static str, gap: usize| {
        move |n: usize| {
            let mut lines = vec![open(&format!("/usr/lib/python3.11/{directory}/m{n}.py"))];
            lines.extend(times(gap, |_| "brk(NULL) = 0x1".to_owned()));
            lines
        }
    };
    let package = open("/usr/lib/python3.11/big/__init__.py");
    let with = lines(PYTHON, [package.clone()].into_iter().chain((0..5).flat_map(slow("big", 40))));
    // The whole is as long, but it is the program's own time, after the last module.
    let after = times(200, |_| "brk(NULL) = 0x1".to_owned());
    let quick = (0..5).flat_map(slow("big", 0));
    let without = lines(PYTHON, [package].into_iter().chain(quick).chain(after));
    let found = check("imports", &with, &without);
    assert_eq!(evidence(&found), [("big".to_owned(), 6)]);
    // An installer that compiles reads sources, too, and writes bytecode without having looked for any.
    let writes = |n: usize| {
        format!(
            r#"openat(AT_FDCWD</home/u>, "/usr/lib/python3.11/big/__pycache__/m{n}.cpython-311.pyc.7", O_WRONLY|O_CREAT|O_EXCL, 0644) = 3"#
        )
    };
    let compiles = |n: usize| slow("big", 40)(n).into_iter().chain([writes(n)]);
    assert_eq!(find("imports", &lines(PYTHON, (0..5).flat_map(compiles))), None);
    let compileall = PYTHON.replace("\"x.py\"", "\"-m\", \"compileall\", \"/m\"");
    let reads = |n: usize| {
        [no_open(&format!("/usr/lib/python3.11/big/__pycache__/m{n}.cpython-311.pyc"))]
            .into_iter()
            .chain(slow("big", 40)(n))
    };
    let tree = lines(&compileall, (0..5).flat_map(reads));
    assert_eq!((find("imports", &tree), find("bytecode", &tree)), (None, None), "nothing of it is imported");
}

#[test]
fn what_site_imports_in_python_2_is_not_the_programs() {
    let (report, _) = startup("2.7-script", &runs());
    let by_site = report.modules.modules.iter().filter(|module| module.phase.bytes() == b"site, encodings");
    assert!(by_site.count() > 5, "{:?}", report.modules);
    let found = report.findings.list;
    assert!(found.iter().all(|finding| finding.kind != "imports"), "{found:?}");
}

#[test]
fn site_without_packages() {
    let has =
        |name: &str| startup(name, &runs()).0.findings.list.iter().any(|finding| finding.kind == "site");
    assert!(has("3.11-script"));
    assert!(!has("3.11-nosite"));
}

#[test]
fn path_files() {
    let with = lines(PYTHON, times(3, |n| open(&format!("/usr/lib/python3/dist-packages/{n}.pth"))));
    let without = lines(TOOL, times(3, |n| open(&format!("/usr/lib/python3/dist-packages/{n}.pth"))));
    assert_eq!(check("pth", &with, &without).saving.calls, 3);
}

#[test]
fn a_path_file_that_imports_much() {
    let log = fixture("3.11-script");
    let mut lines: Vec<String> = log.lines().map(str::to_owned).collect();
    let listed = lines.iter().position(|line| line.contains("site-packages>) = 0")).unwrap();
    let script = lines.iter().position(|line| line.contains("hello.py\"")).unwrap();
    let at = |line: &str, of: &str| {
        format!("{} {line} <0.000008>", of.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" "))
    };
    let site = "/opt/python/3.11.7/lib/python3.11/site-packages";
    let close = lines[listed].clone();
    let read = at(&open(&format!("{site}/big.pth")), &close);
    let module = at(&open(&format!("{site}/__pycache__/big.cpython-311.pyc")), &close);
    let found = |lines: &[String], late: usize| {
        let all = findings_of(&delayed(&lines.join("\n"), late, 4_000), &runs());
        all.list.into_iter().find(|finding| finding.kind == "pth")
    };
    lines.splice(listed + 1..=listed, [read.clone(), module]);
    let heavy = found(&lines, listed + 3).unwrap();
    assert_eq!(evidence(&heavy), [(format!("{site}/big.pth"), 1)]);
    assert!(heavy.what.bytes().starts_with(b"big.pth imports 1 Python module"), "{heavy:?}");
    assert!(heavy.saving.at_most_ns > Some(1_000_000), "{heavy:?}");
    assert_eq!(found(&lines, script + 3), None, "the program takes long, not the file");
    lines.remove(listed + 2);
    assert_eq!(found(&lines, listed + 2), None, "it imports nothing");
}

#[test]
fn site_that_cannot_be_told_from_the_program() {
    let found = |name: &str| {
        startup(name, &runs()).0.findings.list.into_iter().find(|finding| finding.kind == "site")
    };
    let merged = found("3.11-isolatedc").unwrap();
    assert_eq!((merged.saving.at_most_ns, merged.remedy), (None, Some(Remedy::PythonNoSite)));
    assert!(!merged.small);
}

#[test]
fn imports_that_look_into_their_package_first() {
    let import = |n: usize| {
        [
            no_open(&format!("/usr/lib/python2.7/big/m{n}.pyc")),
            no_open(&format!("/usr/lib/python2.7/big/m{n}.py")),
            open(&format!("/usr/lib/python2.7/m{n}.py")),
            open(&format!("/usr/lib/python2.7/m{n}.pyc")),
        ]
    };
    let two = PYTHON.replace("python3.11", "python2.7");
    let package = open("/usr/lib/python2.7/big/__init__.py");
    let found =
        find("python-path", &lines(&two, [package].into_iter().chain((0..8).flat_map(import)))).unwrap();
    assert_eq!((evidence(&found), &found.remedy), (vec![("/usr/lib/python2.7/big".to_owned(), 16)], &None));
    assert!(found.advice.bytes().windows(15).any(|part| part == b"absolute_import"), "{found:?}");
}

#[test]
fn frozen_modules_read_from_files() {
    let read = |python: &str| {
        let names = ["os", "site", "codecs", "io"].into_iter();
        let opens = names.map(|name| open(&format!("/usr/lib/{python}/__pycache__/{name}.cpython-311.pyc")));
        lines(PYTHON, opens)
    };
    let found = check("frozen-modules", &read("python3.11"), &read("python3.10"));
    assert_eq!((found.remedy, found.evidence.len()), (Some(Remedy::FrozenModules), 4));
}
