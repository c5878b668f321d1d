//! What `trace try` can try of the findings, and what each remedy does to output and exit status.

use super::super::failure::Failure;
use super::super::remedies::{self, Applied, Edit};
use super::session::Session;
use crate::analysis::findings::{Finding, Remedy, Safety};
use crate::analysis::startup::Report;
use crate::analysis::trial::{Effect, NotTried};
use crate::capture::untraced::Output;

/// Why there is no remedy for a wrapper.
const WRAPPER_WORKS: &str =
    "what leads to the program may do other work too, or starts it in more than one step";

/// A remedy that can be tried.
pub struct Candidate<'a> {
    /// `None`: several remedies together.
    pub finding: Option<(&'a Finding, &'a Remedy, Safety)>,
    pub edit: Edit,
    pub applied: Applied,
    pub effect: Effect,
}

/// What the command does as it is.
pub struct Before {
    output: Output,
    /// It wrote the same to standard output twice.
    pub stable: bool,
}

/// The remedies of the findings, and those that cannot be applied here.
pub fn candidates<'r>(
    session: &mut Session<'_>,
    report: &'r Report,
) -> Result<(Vec<Candidate<'r>>, Vec<NotTried>), Failure> {
    let (mut candidates, mut not_tried) = (Vec::new(), Vec::new());
    let only = &session.arguments.only.clone();
    let wanted = |finding: &&Finding| only.is_empty() || only.iter().any(|kind| kind == finding.kind);
    for finding in report.findings.list.iter().filter(wanted) {
        let Some((remedy, safety)) = finding.remedy.as_ref().zip(finding.safety) else {
            if finding.kind == "wrapper" {
                not_tried.push(NotTried { finding: finding.kind, why: WRAPPER_WORKS.to_owned() });
            }
            continue;
        };
        let edit = remedies::edit(remedy, session.scratch);
        let applied = edit.and_then(|edit| Ok((remedies::apply(session.command, &[&edit])?, edit)));
        let ready = match applied {
            Ok((applied, edit)) => make_bytecode(session, &edit)?.map(|()| (applied, edit)),
            Err(why) => Err(why),
        };
        match ready {
            Ok((applied, edit)) => candidates.push(Candidate {
                finding: Some((finding, remedy, safety)),
                edit,
                applied,
                effect: Effect::Same,
            }),
            Err(why) => not_tried.push(NotTried { finding: finding.kind, why }),
        }
    }
    Ok((candidates, not_tried))
}

/// Makes the bytecode that a remedy needs, if it does; the inner error says why there is none.
fn make_bytecode(session: &mut Session<'_>, edit: &Edit) -> Result<Result<(), String>, Failure> {
    let Some(bytecode) = &edit.bytecode else { return Ok(Ok(())) };
    let check = bytecode.check(session.command).map_err(Failure::of_trace)?;
    if !session.outcome(&check)?.status.success() {
        return Ok(Err(bytecode.too_old()));
    }
    let compile = bytecode.compile(session.command).map_err(Failure::of_trace)?;
    // A source that is none for this Python fails, and the others are compiled all the same.
    session.outcome(&compile)?;
    Ok(bytecode.missing().map_or(Ok(()), Err))
}

/// What the command does, twice.
pub fn before(session: &mut Session<'_>) -> Result<Before, Failure> {
    let command = session.command;
    let (output, second) = (session.outcome(command)?, session.outcome(command)?);
    Ok(Before { stable: output == second, output })
}

/// What a remedy does to output and status.
pub fn effect(
    session: &mut Session<'_>,
    candidate: &Candidate<'_>,
    before: &Before,
) -> Result<Effect, Failure> {
    if candidate.edit.primes {
        session.outcome(&candidate.applied.command)?;
    }
    let after = session.outcome(&candidate.applied.command)?;
    Ok(match (after.status == before.output.status, after.stdout == before.output.stdout) {
        (false, _) => Effect::StatusDiffers,
        (true, _) if !before.stable => Effect::StatusSame,
        (true, false) => Effect::OutputDiffers,
        (true, true) => Effect::Same,
    })
}
