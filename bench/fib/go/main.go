// fib(n) in Go: each call starts a goroutine for one of its two and computes the other itself.
package main

import kit "bench/kit/go"

func fib(n int64) int64 {
	if n < 2 {
		return n
	}
	other := make(chan int64, 1)
	go func() { other <- fib(n - 1) }()
	b := fib(n - 2)
	return b + <-other
}

// Iteratively: what fib must give.
func expected(n int64) int64 {
	a, b := int64(0), int64(1)
	for i := int64(0); i < n; i++ {
		a, b = b, a+b
	}
	return a
}

func main() {
	p := kit.Parse("fib", 30)
	fib(20)
	p.Start()
	result := fib(p.Size)
	p.Stop()
	p.Finish(2*expected(p.Size+1)-1, result == expected(p.Size))
}
