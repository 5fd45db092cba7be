// Timers of Go: time.AfterFunc and Stop. See plan.hpp.
package main

import (
	kit "bench/kit/go"
	"math/rand"
	"sync/atomic"
	"time"
)

const rounds = 3

func main() {
	p := kit.Parse("timers", 1_000_000, "arm", "cancel", "arm_cancel")
	random := rand.New(rand.NewSource(7))
	delays := make([]time.Duration, p.Size)
	for i := range delays {
		delays[i] = time.Duration(3_600_000+random.Int63n(3_600_001)) * time.Millisecond
	}
	timers := make([]*time.Timer, p.Size)
	var fired int32
	onTime := func() { atomic.StoreInt32(&fired, 1) }

	step := func(name string, round int, each func(i int)) {
		measured := p.Case == name && round > 0
		if measured {
			p.Start()
		}
		for i := range timers {
			each(i)
		}
		if measured {
			p.Stop()
		}
	}
	for round := 0; round <= rounds; round++ {
		step("arm", round, func(i int) { timers[i] = time.AfterFunc(delays[i], onTime) })
		if p.Case == "arm_cancel" {
			step("arm_cancel", round, func(i int) { time.AfterFunc(delays[i], onTime).Stop() })
		}
		step("cancel", round, func(i int) { timers[i].Stop() })
	}
	p.Finish(p.Size*rounds, atomic.LoadInt32(&fired) == 0)
}
