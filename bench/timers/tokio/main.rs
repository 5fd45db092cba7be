// Timers of Tokio: a sleep that is polled once, and dropped. See plan.hpp.
#[path = "../../kit/rust/kit.rs"]
mod kit;
#[path = "../../kit/rust/runtime.rs"]
mod runtime;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::{sleep_until, Duration, Instant, Sleep};

const ROUNDS: i64 = 3;

type Slots = Vec<Option<Pin<Box<Sleep>>>>;

struct State {
    when: Vec<Instant>,
    slots: Slots,
    fired: bool,
}

impl State {
    fn new(size: i64) -> State {
        let now = Instant::now();
        let mut seed: u64 = 7; // any numbers in no order do
        let mut next = move || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            Duration::from_millis(3_600_000 + (seed >> 33) % 3_600_001)
        };
        let when: Vec<Instant> = (0..size).map(|_| now + next()).collect();
        State { when, slots: (0..size).map(|_| None).collect(), fired: false }
    }

    fn armed(&mut self, i: usize, context: &mut Context<'_>) -> Pin<Box<Sleep>> {
        let mut sleep = Box::pin(sleep_until(self.when[i]));
        self.fired |= sleep.as_mut().poll(context).is_ready();
        sleep
    }

    fn step(&mut self, what: &str, context: &mut Context<'_>) {
        for i in 0..self.when.len() {
            match what {
                "arm" => self.slots[i] = Some(self.armed(i, context)),
                "cancel" => self.slots[i] = None,
                _ => drop(self.armed(i, context)),
            }
        }
    }
}

// A step, as a future that is ready at once: it has the context that timers are polled with.
struct Step<'a> {
    state: &'a mut State,
    what: &'static str,
}

impl Future for Step<'_> {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let what = self.what;
        self.state.step(what, context);
        Poll::Ready(())
    }
}

async fn measured(program: &mut kit::Program, state: &mut State) {
    for round in 0..=ROUNDS {
        for what in ["arm", "arm_cancel", "cancel"] {
            if what == "arm_cancel" && program.case != what {
                continue;
            }
            let counts = round > 0 && program.case == what;
            if counts {
                program.start();
            }
            Step { state, what }.await;
            tokio::task::yield_now().await;
            if counts {
                program.stop();
            }
        }
    }
}

fn main() {
    let mut program = kit::Program::parse("timers", "tokio", 1_000_000, &["arm", "cancel", "arm_cancel"]);
    let mut state = State::new(program.size);
    let runtime = runtime::of(program.threads);
    // No limit on how much one task may do before it must yield: it is all one step.
    runtime.block_on(tokio::task::unconstrained(measured(&mut program, &mut state)));
    program.finish(program.size * ROUNDS, !state.fired);
}
