// pipeline in Go: a goroutine for each end of a connection. See work.hpp.
package main

import (
	kit "bench/kit/go"
	"encoding/binary"
	"io"
	"net"
	"sync"
)

const (
	connections = 64
	blockSize   = 4096
	passes      = 8
	heavyParts  = 64
	heavyEvery  = 16
	kinds       = 4
)

func digest(block []byte) uint64 {
	parts := uint64(1)
	if block[0] == 'H' {
		parts = heavyParts
	}
	sum := uint64(0)
	for part := uint64(0); part < parts; part++ {
		hash := 0xcbf29ce484222325 + part
		for pass := 0; pass < passes; pass++ {
			for at := 0; at < blockSize; at += 8 {
				hash = (hash ^ binary.LittleEndian.Uint64(block[at:])) * 0x100000001b3
			}
		}
		sum += hash
	}
	return sum
}

type request struct {
	block  []byte
	digest uint64
}

func makeRequests() []request {
	requests := make([]request, 2*kinds)
	for which := range requests {
		block := make([]byte, blockSize)
		for at := range block {
			block[at] = byte('a' + (at*31+which)%23)
		}
		block[0] = 's'
		if which >= kinds {
			block[0] = 'H'
		}
		requests[which] = request{block, digest(block)}
	}
	return requests
}

func handle(connection net.Conn) {
	defer connection.Close()
	block := make([]byte, blockSize)
	answer := make([]byte, 8)
	for {
		if _, err := io.ReadFull(connection, block); err != nil {
			return
		}
		binary.LittleEndian.PutUint64(answer, digest(block))
		if _, err := connection.Write(answer); err != nil {
			return
		}
	}
}

func client(requests []request, number int, address string, count int64) bool {
	connection, err := net.Dial("tcp4", address)
	if err != nil {
		return false
	}
	defer connection.Close()
	answer := make([]byte, 8)
	for i := int64(0); i < count; i++ {
		which := int(i % kinds)
		if (i+int64(number))%heavyEvery == 0 {
			which += kinds
		}
		if _, err := connection.Write(requests[which].block); err != nil {
			return false
		}
		if _, err := io.ReadFull(connection, answer); err != nil {
			return false
		}
		if binary.LittleEndian.Uint64(answer) != requests[which].digest {
			return false
		}
	}
	return true
}

func exchange(requests []request, address string, size int64) bool {
	var all sync.WaitGroup
	right := make([]bool, connections)
	for number := range right {
		count := size / connections
		if int64(number) < size%connections {
			count++
		}
		all.Add(1)
		go func(number int) {
			right[number] = client(requests, number, address, count)
			all.Done()
		}(number)
	}
	all.Wait()
	for _, one := range right {
		if !one {
			return false
		}
	}
	return true
}

func main() {
	p := kit.Parse("pipeline", 20_000)
	requests := makeRequests()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go handle(connection)
		}
	}()
	address := listener.Addr().String()
	right := exchange(requests, address, connections)
	p.Start()
	right = exchange(requests, address, p.Size) && right
	p.Stop()
	p.Finish(p.Size, right)
}
