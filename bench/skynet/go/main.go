// skynet in Go: every node starts a goroutine for each of its ten children, and they answer on one
// channel.
package main

import kit "bench/kit/go"

const children = 10

func skynet(answer chan<- int64, first, leaves int64) {
	if leaves == 1 {
		answer <- first
		return
	}
	part := leaves / children
	answers := make(chan int64, children)
	for i := int64(0); i < children; i++ {
		go skynet(answers, first+i*part, part)
	}
	sum := int64(0)
	for i := 0; i < children; i++ {
		sum += <-answers
	}
	answer <- sum
}

func run(leaves int64) int64 {
	answer := make(chan int64, 1)
	go skynet(answer, 0, leaves)
	return <-answer
}

func main() {
	p := kit.Parse("skynet", 1_000_000)
	run(1_000)
	p.Start()
	sum := run(p.Size)
	p.Stop()
	tasks := int64(0)
	for level := p.Size; level > 0; level /= children {
		tasks += level
	}
	p.Finish(tasks, sum == p.Size*(p.Size-1)/2)
}
