//! Names the frames of unwound samples, and makes events of them.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::super::stacks::{Address, Object, Symbols, Table};
use crate::event::stack::Frame;
use crate::event::{Event, Kind, mark};

/// What is handed from one thread to the other.
pub enum Found {
    /// The next object; the first one has number 0.
    Object(Arc<Object>),
    /// A sample.
    Sample(Box<Unwound>),
    /// A thread was on no CPU.
    Away(Away),
}

/// A time in which a thread was on no CPU.
pub struct Away {
    pub start_ns: u64,
    pub end_ns: u64,
    pub pid: u32,
    pub tid: u32,
    pub comm: Option<Arc<[u8]>>,
    /// It could have run.
    pub is_ready: bool,
}

/// A sample with the addresses of its stack.
pub struct Unwound {
    pub at_ns: u64,
    pub pid: u32,
    pub tid: u32,
    pub comm: Option<Arc<[u8]>>,
    pub cpu: u32,
    pub stands_for_ns: u64,
    pub ip: u64,
    /// In user mode, innermost first.
    pub user: Vec<Address>,
    /// The outermost of them was not reached.
    pub cut: bool,
    /// In the kernel, innermost first.
    pub kernel: Vec<u64>,
}

/// See the module's documentation.
pub struct Namer<F> {
    push: F,
    objects: Vec<Arc<Object>>,
    symbols: Symbols,
    table: Table,
    frames: Vec<u32>,
    samples: u64,
}

impl<F: FnMut(&Event<'_>)> Namer<F> {
    pub fn new(push: F) -> Self {
        Self {
            push,
            objects: Vec::new(),
            symbols: Symbols::default(),
            table: Table::default(),
            frames: Vec::new(),
            samples: 0,
        }
    }

    /// Until nothing more comes. Gives the number of samples, and what took them.
    pub fn run(mut self, found: &Receiver<Found>) -> (u64, F) {
        for found in found {
            match found {
                Found::Object(object) => self.objects.push(object),
                Found::Sample(sample) => self.sample(&sample),
                Found::Away(away) => (self.push)(&Event {
                    pid: away.pid,
                    tid: away.tid,
                    comm: away.comm.as_deref().unwrap_or_default(),
                    start_ns: away.start_ns,
                    end_ns: Some(away.end_ns),
                    args: [u64::from(away.is_ready), 0, 0, 0, 0, 0],
                    text: Some(mark::OFF_CPU.as_bytes()),
                    ..Event::new(Kind::Mark)
                }),
            }
        }
        (self.samples, self.push)
    }

    fn sample(&mut self, sample: &Unwound) {
        self.frames.clear();
        let (table, define, frames) = (&mut self.table, &mut self.push, &mut self.frames);
        if sample.cut {
            frames.push(table.frame(&Frame::UNKNOWN, define));
        }
        for address in sample.user.iter().rev() {
            self.symbols.code((&self.objects, sample.pid), *address, table, define, frames);
        }
        for (depth, &at) in sample.kernel.iter().enumerate().rev() {
            // All but the first are return addresses.
            self.symbols.kernel(if depth == 0 { at } else { at - 1 }, table, define, frames);
        }
        if frames.is_empty() {
            frames.push(table.frame(&Frame::UNKNOWN, define));
        }
        let stack = table.stack(frames.iter().copied(), define);
        let event = Event {
            pid: sample.pid,
            tid: sample.tid,
            comm: sample.comm.as_deref().unwrap_or_default(),
            start_ns: sample.at_ns,
            end_ns: Some(sample.at_ns),
            args: [u64::from(sample.cpu), sample.stands_for_ns, 0, 0, 0, 0],
            ip: sample.ip,
            stack,
            ..Event::new(Kind::Sample)
        };
        (self.push)(&event);
        self.samples += 1;
    }
}
