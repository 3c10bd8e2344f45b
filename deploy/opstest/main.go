package main

import (
	"fmt"
	"os"

	"qcat/deploy/opstest/box"
	"qcat/deploy/opstest/compose"
)

func main() {
	box.Main()
	compose.Client()
	os.Exit(run())
}

func run() int {
	status, err := opsTest()
	if err != nil {
		fmt.Fprintln(os.Stderr, "opstest:", err)
		return 1
	}
	return status
}
