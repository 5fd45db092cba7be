// Package kit is kit/program.hpp for Go: arguments, clocks, and the one line of JSON.
//
// Invariant: only what lies between Start and Stop is counted.
package kit

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

type Program struct {
	Workload string
	Threads  int
	Size     int64
	Case     string
	wall     time.Duration
	cpu      time.Duration
	wallAt   time.Time
	cpuAt    time.Duration
}

// Parse reads the command line and limits Go to as many threads; the first case is the default.
func Parse(workload string, size int64, cases ...string) *Program {
	p := &Program{Workload: workload}
	first := ""
	if len(cases) > 0 {
		first = cases[0]
	}
	flag.IntVar(&p.Threads, "threads", 1, "threads that work")
	flag.Int64Var(&p.Size, "size", size, "what it means depends on the workload")
	flag.StringVar(&p.Case, "case", first, "which measurement: "+strings.Join(cases, ", "))
	flag.Parse()
	known := p.Case == first
	for _, name := range cases {
		known = known || p.Case == name
	}
	if !known {
		fmt.Fprintf(os.Stderr, "%s: there is no case %q\n", os.Args[0], p.Case)
		os.Exit(2)
	}
	runtime.GOMAXPROCS(p.Threads)
	return p
}

func (p *Program) Start() {
	p.cpuAt = cpuTime()
	p.wallAt = time.Now()
}

func (p *Program) Stop() {
	p.wall += time.Since(p.wallAt)
	p.cpu += cpuTime() - p.cpuAt
}

// Finish prints the line and ends the program.
func (p *Program) Finish(ops int64, correct bool) {
	check, code := "ok", 0
	if !correct {
		check, code = "wrong", 1
	}
	fmt.Printf("{\"workload\": %q, \"case\": %q, \"contender\": \"go\", \"threads\": %d, "+
		"\"size\": %d, \"ops\": %d, \"wall_s\": %.9f, \"cpu_s\": %.6f, \"peak_kib\": %d, "+
		"\"check\": %q}\n", p.Workload, p.Case, p.Threads, p.Size, ops, p.wall.Seconds(),
		p.cpu.Seconds(), peakKib(), check)
	os.Exit(code)
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func peakKib() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(status), "\n") {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d", &kib); n == 1 {
			return kib
		}
	}
	return 0
}
