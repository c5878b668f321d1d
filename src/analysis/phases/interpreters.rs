//! The interpreters that a table tells: what each phase begins with. How each was checked, and on which
//! versions, is in docs/interpreters.md.

use super::command_line::Options;
use super::rules::{Rules, Step, When};
use crate::syscall::Family;

/// Node: the platform (libuv, OpenSSL), V8 and its snapshot, the JavaScript side of node, the script.
///
/// After V8's start node asks how much memory there may be; when it has an environment, it asks for its own
/// executable (`process.execPath`). At its end it puts the standard streams back as they were.
pub(super) const NODE: Rules = Rules {
    names: &["node", "nodejs"],
    options: Options {
        code: &["-e", "--eval", "-p", "--print", "-pe"],
        value: &[
            "-r",
            "--require",
            "--import",
            "--loader",
            "--experimental-loader",
            "-C",
            "--conditions",
            "--env-file",
        ],
        nothing: &["-v", "--version", "-h", "--help", "--v8-options"],
        ..Options::NONE
    },
    first: "node init",
    steps: &[
        Step::init("V8 init", &[When::Looks("/proc/self/cgroup"), When::Looks("/proc/meminfo")]),
        Step { after: 1, ..Step::init("node bootstrap", &[When::CallOn("readlink", "/proc/self/exe")]) },
        Step { after: 2, ..Step::run(&[When::Script]) },
    ],
    exit: &[When::CallWith("fcntl", 0)],
    goes_on: &[Family::Open, Family::Process, Family::Network, Family::Read, Family::Write],
    exit_name: "exit",
    code_file: "",
    threads: false,
};

/// Ruby reads the script, then loads `RubyGems`, then reads the script's end and runs it. Its timer is deleted
/// at the end.
pub(super) const RUBY: Rules = Rules {
    names: &["ruby"],
    options: Options {
        code: &["-e"],
        value: &["-I", "-r", "-C", "-E", "--encoding", "--external-encoding", "--internal-encoding"],
        attached: b"IrCEFKTWx0",
        nothing: &["--version", "--help", "-h"],
        ..Options::NONE
    },
    first: "interpreter init",
    steps: &[
        Step { takes_back: true, ..Step::init("rubygems", &[When::Looks("/rubygems.rb")]) },
        Step::run(&[When::Script, When::ReadsScript]),
    ],
    exit: &[When::Call("timer_delete")],
    goes_on: &[Family::Open, Family::Process, Family::Network],
    exit_name: "exit",
    code_file: "",
    threads: false,
};

/// Perl compiles the script, which loads what it uses, reads its end and closes it: but not where data follow
/// it (`__END__`, `__DATA__`). Code is a script too, in `/dev/null`.
pub(super) const PERL: Rules = Rules {
    names: &["perl"],
    options: Options {
        code: &["-e", "-E"],
        value: &["-I"],
        attached: b"IMmixdDCF",
        nothing: &["-v", "--version", "-V", "-h"],
        ..Options::NONE
    },
    first: "interpreter init",
    steps: &[
        Step { kind: super::PhaseKind::Program, ..Step::init("compile", &[When::Script]) },
        Step { after: 1, ..Step::run(&[When::ClosesReadScript]) },
    ],
    exit: &[],
    goes_on: &[],
    exit_name: "exit",
    code_file: "/dev/null",
    threads: false,
};

/// Startup files of a login shell and of an interactive one.
const PROFILES: &[When] = &[
    When::Looks("/etc/profile"),
    When::Looks("/etc/bash.bashrc"),
    When::Looks("/.bash_profile"),
    When::Looks("/.bash_login"),
    When::Looks("/.profile"),
    When::Looks("/.bashrc"),
];

/// Bash. Before the code of a `-c` it looks whether it was started by a remote shell.
pub(super) const BASH: Rules = Rules {
    names: &["bash", "rbash", "sh"],
    options: Options {
        code: &["-c"],
        value: &["-o", "+o", "-O", "+O", "--rcfile", "--init-file"],
        nothing: &["--version", "--help"],
        ..Options::NONE
    },
    first: "shell init",
    steps: &[
        Step::init("startup files", PROFILES),
        Step::run(&[When::Script, When::CallWith("getpeername", 0)]),
    ],
    exit: &[],
    goes_on: &[],
    exit_name: "exit",
    code_file: "",
    threads: false,
};

/// Dash, Debian's `sh`.
pub(super) const DASH: Rules = Rules {
    names: &["dash", "sh"],
    options: Options { code: &["-c"], value: &["-o", "+o"], ..Options::NONE },
    first: "shell init",
    steps: &[Step::init("startup files", PROFILES), Step::run(&[When::Script])],
    exit: &[],
    goes_on: &[],
    exit_name: "exit",
    code_file: "",
    threads: false,
};

/// The JVM: the launcher, the virtual machine, the Java libraries from the archive of shared classes, the main
/// class. The program is run by a thread of its own.
pub(super) const JAVA: Rules = Rules {
    names: &["java"],
    options: Options {
        value: &[
            "-p",
            "--module-path",
            "--add-modules",
            "--add-opens",
            "--add-exports",
            "--add-reads",
            "--upgrade-module-path",
        ],
        nothing: &["-version", "--version", "-help", "--help", "-h", "-?"],
        file: &["-jar"],
        class_path: &["-cp", "-classpath", "--class-path"],
        ..Options::NONE
    },
    first: "launcher",
    steps: &[
        Step::init("JVM init", &[When::Looks("/libjvm.so")]),
        Step { after: 1, ..Step::init("Java libraries", &[When::Looks(".jsa")]) },
        Step { after: 1, ..Step::run(&[When::OpensScript]) },
    ],
    exit: &[When::CallOn("unlink", "/hsperfdata_")],
    goes_on: &[],
    exit_name: "exit",
    code_file: "",
    threads: true,
};

/// PHP: its settings and extensions come before the script, which it closes when it has run.
pub(super) const PHP: Rules = Rules {
    names: &["php"],
    options: Options {
        code: &["-r", "-B", "-R", "-E"],
        value: &["-d", "-c", "-z", "-t"],
        attached: b"dcztS",
        nothing: &["-v", "--version", "-i", "-m", "-h", "--help"],
        file: &["-f", "-F"],
        server: &["-S"],
        ..Options::NONE
    },
    first: "interpreter init",
    steps: &[
        Step::init("php.ini, extensions", &[When::Looks("/php-cli.ini"), When::Looks("/php.ini")]),
        Step::run(&[When::Script]),
    ],
    exit: &[When::ClosesScript],
    goes_on: &[],
    exit_name: "shutdown functions, exit",
    code_file: "",
    threads: false,
};

/// Tcl: its library's `init.tcl`, then the script.
pub(super) const TCL: Rules = Rules {
    names: &["tclsh"],
    options: Options { value: &["-encoding"], ..Options::NONE },
    first: "interpreter init",
    steps: &[Step::init("init.tcl", &[When::Looks("/init.tcl")]), Step::run(&[When::Script])],
    exit: &[],
    goes_on: &[],
    exit_name: "exit",
    code_file: "",
    threads: false,
};
