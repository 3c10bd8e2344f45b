//go:build !race

package fakevenue

const raceEnabled = false
