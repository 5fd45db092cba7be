// A buffered channel between two goroutines.
package main

import kit "bench/kit/go"

func exchange(places, items int64) int64 {
	channel := make(chan int64, places)
	sum := make(chan int64)
	go func() {
		s := int64(0)
		for i := int64(0); i < items; i++ {
			s += <-channel
		}
		sum <- s
	}()
	go func() {
		for i := int64(0); i < items; i++ {
			channel <- i
		}
	}()
	return <-sum
}

func main() {
	p := kit.Parse("channel", 10_000_000, "128", "1")
	places := int64(128)
	if p.Case == "1" {
		places = 1
	}
	exchange(places, p.Size/10)
	p.Start()
	sum := exchange(places, p.Size)
	p.Stop()
	p.Finish(p.Size, sum == p.Size*(p.Size-1)/2)
}
