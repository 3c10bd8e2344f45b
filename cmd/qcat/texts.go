package main

import (
	"qcat/persist/store"
	"qcat/risk"
)

// journalTexts say in the audit what stands in the journal as numbers.
var journalTexts = store.Texts{Limit: risk.LimitText, Reason: risk.ReasonText, Action: risk.ActionText}
