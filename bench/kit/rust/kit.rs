// kit/program.hpp for Rust: arguments, clocks, and the one line of JSON.
//
// Invariant: only what lies between start() and stop() is counted.
#![allow(dead_code)]

use std::process::exit;
use std::time::{Duration, Instant};

pub struct Program {
    workload: &'static str,
    contender: &'static str,
    pub threads: usize,
    pub size: i64,
    pub case: String,
    wall: Duration,
    cpu: Duration,
    wall_at: Instant,
    cpu_at: Duration,
}

impl Program {
    // The first of `cases` is the default.
    pub fn parse(
        workload: &'static str,
        contender: &'static str,
        size: i64,
        cases: &[&str],
    ) -> Program {
        let mut program = Program {
            workload,
            contender,
            threads: 1,
            size,
            case: cases.first().unwrap_or(&"").to_string(),
            wall: Duration::ZERO,
            cpu: Duration::ZERO,
            wall_at: Instant::now(),
            cpu_at: Duration::ZERO,
        };
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        for pair in arguments.chunks(2) {
            match (pair[0].as_str(), pair.get(1)) {
                ("--threads", Some(value)) => program.threads = number(value) as usize,
                ("--size", Some(value)) => program.size = number(value),
                ("--case", Some(value)) if cases.contains(&value.as_str()) => {
                    program.case = value.clone()
                }
                _ => usage(&pair.join(" ")),
            }
        }
        program
    }

    pub fn start(&mut self) {
        self.cpu_at = cpu_time();
        self.wall_at = Instant::now();
    }

    pub fn stop(&mut self) {
        self.wall += self.wall_at.elapsed();
        self.cpu += cpu_time() - self.cpu_at;
    }

    // Prints the line and ends the program.
    pub fn finish(&self, ops: i64, correct: bool) -> ! {
        println!(
            "{{\"workload\": \"{}\", \"case\": \"{}\", \"contender\": \"{}\", \"threads\": {}, \
             \"size\": {}, \"ops\": {}, \"wall_s\": {:.9}, \"cpu_s\": {:.6}, \"peak_kib\": {}, \
             \"check\": \"{}\"}}",
            self.workload,
            self.case,
            self.contender,
            self.threads,
            self.size,
            ops,
            self.wall.as_secs_f64(),
            self.cpu.as_secs_f64(),
            peak_kib(),
            if correct { "ok" } else { "wrong" }
        );
        exit(if correct { 0 } else { 1 })
    }
}

fn number(text: &str) -> i64 {
    text.parse().ok().filter(|value| *value > 0).unwrap_or_else(|| usage(text))
}

fn usage(what: &str) -> ! {
    eprintln!("cannot make sense of \"{}\": --threads N --size N --case NAME", what);
    exit(2)
}

fn cpu_time() -> Duration {
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let duration = |t: libc::timeval| {
        Duration::from_secs(t.tv_sec as u64) + Duration::from_micros(t.tv_usec as u64)
    };
    duration(usage.ru_utime) + duration(usage.ru_stime)
}

fn peak_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
