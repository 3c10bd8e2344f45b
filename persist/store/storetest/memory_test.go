package storetest_test

import (
	"testing"

	"qcat/core"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T, *core.Directory) store.Store { return storetest.NewMemory() })
}
