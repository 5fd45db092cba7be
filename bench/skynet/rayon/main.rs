// skynet on rayon: a parallel iterator over a node's ten children, each of them a task of its own, as
// with the others (by itself rayon would make fewer).
#[path = "../../kit/rust/kit.rs"]
mod kit;

use rayon::prelude::*;

const CHILDREN: i64 = 10;

fn skynet(first: i64, leaves: i64) -> i64 {
    if leaves == 1 {
        return first;
    }
    let part = leaves / CHILDREN;
    let child = |i| skynet(first + i64::from(i) * part, part);
    (0..CHILDREN as i32).into_par_iter().with_max_len(1).map(child).sum()
}

fn main() {
    let mut program = kit::Program::parse("skynet", "rayon", 100_000_000, &[]);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(program.threads).build().unwrap();
    let sum = pool.install(|| {
        skynet(0, 1_000);
        program.start();
        let sum = skynet(0, program.size);
        program.stop();
        sum
    });
    let tasks: i64 = std::iter::successors(Some(program.size), |n| Some(n / CHILDREN))
        .take_while(|n| *n > 0)
        .sum();
    program.finish(tasks, sum == program.size * (program.size - 1) / 2);
}
