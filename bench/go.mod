// The Go contenders of `./dev bench compare`, one program a directory. No dependencies.
module bench

go 1.19
