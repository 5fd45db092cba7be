// nqueens on rayon: a parallel iterator over the columns where a queen can be placed, each of them a
// task of its own. See board.hpp.
#[path = "../../kit/rust/kit.rs"]
mod kit;

use rayon::prelude::*;

const QUEENS_MAX: usize = 16;
const EXPECTED: [i64; QUEENS_MAX + 1] = [
    1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2_680, 14_200, 73_712, 365_596, 2_279_184, 14_772_512,
];

#[derive(Clone, Copy)]
struct Board {
    column: [i8; QUEENS_MAX],
    rows: usize,
}

impl Board {
    fn allows(&self, candidate: i8) -> bool {
        self.column[..self.rows].iter().enumerate().all(|(row, column)| {
            let distance = (self.rows - row) as i8;
            let difference = candidate - column;
            difference != 0 && difference != distance && difference != -distance
        })
    }

    fn with(&self, candidate: i8) -> Board {
        let mut next = *self;
        next.column[next.rows] = candidate;
        next.rows += 1;
        next
    }
}

fn solve(board: Board, queens: usize) -> i64 {
    if board.rows == queens {
        return 1;
    }
    let mut columns = [0; QUEENS_MAX];
    let mut count = 0;
    for column in (0..queens as i8).filter(|column| board.allows(*column)) {
        columns[count] = column;
        count += 1;
    }
    let child = |column: &i8| solve(board.with(*column), queens);
    columns[..count].par_iter().with_max_len(1).map(child).sum()
}

fn main() {
    let mut program = kit::Program::parse("nqueens", "rayon", 13, &[]);
    let queens = program.size as usize;
    assert!(queens <= QUEENS_MAX);
    let empty = Board { column: [0; QUEENS_MAX], rows: 0 };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(program.threads).build().unwrap();
    let ways = pool.install(|| {
        solve(empty, 6);
        program.start();
        let ways = solve(empty, queens);
        program.stop();
        ways
    });
    program.finish(1, ways == EXPECTED[queens]);
}
