// fib(n) on rayon: each call joins its two.
#[path = "../../kit/rust/kit.rs"]
mod kit;

fn fib(n: i64) -> i64 {
    if n < 2 {
        return n;
    }
    let (a, b) = rayon::join(|| fib(n - 1), || fib(n - 2));
    a + b
}

// Iteratively: what fib must give.
fn expected(n: i64) -> i64 {
    (0..n).fold((0, 1), |(a, b), _| (b, a + b)).0
}

fn main() {
    let mut program = kit::Program::parse("fib", "rayon", 38, &[]);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(program.threads).build().unwrap();
    let result = pool.install(|| {
        fib(20);
        program.start();
        let result = fib(program.size);
        program.stop();
        result
    });
    program.finish(2 * expected(program.size + 1) - 1, result == expected(program.size));
}
