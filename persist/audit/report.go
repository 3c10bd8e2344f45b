package audit

import (
	"fmt"

	"qcat/core"
)

// Kind is what is wrong.
type Kind string

// What Verify finds. docs/audit.md says what each of them means to an operator.
const (
	Missing      Kind = "missing"       // entries N to To are not there
	Changed      Kind = "changed"       // entry N is not what its hash is of
	Unlinked     Kind = "unlinked"      // entry N does not continue the one before it
	Doubled      Kind = "doubled"       // a number is there twice, or is none
	HeadWrong    Kind = "head_wrong"    // the database's own note of the end is another
	Shrunk       Kind = "shrunk"        // entries N to To were anchored and are not there
	Rewritten    Kind = "rewritten"     // entry N is not the one that was anchored
	NoAnchors    Kind = "no_anchors"    // there is no file of anchors
	AnchorsKey   Kind = "anchors_key"   // the file is sealed with another master key
	AnchorBroken Kind = "anchor_broken" // line N of the file was changed, or one before it removed
)

// Finding is one thing that is wrong.
type Finding struct {
	Kind   Kind   `json:"kind"`
	N      int64  `json:"n"`  // see Kind; 0 where it is about no entry
	To     int64  `json:"to"` // N where it is about one
	Detail string `json:"detail"`
}

// String is the finding in one line.
func (f Finding) String() string { return fmt.Sprintf("%s: %s", f.Kind, f.Detail) }

// maxFindings bounds a report: the rest is counted.
const maxFindings = 100

// Report is what Verify found.
type Report struct {
	Entries int64  `json:"entries"` // that are there
	Last    int64  `json:"last"`    // the number of the newest
	Hash    string `json:"hash"`    // the newest's, in hexadecimal: to be noted elsewhere

	Anchors      int        `json:"anchors"`       // that are good
	AnchoredFrom int64      `json:"anchored_from"` // the oldest; what is before it is vouched for by its hash
	AnchoredTo   int64      `json:"anchored_to"`   // the newest; what is after it, by nothing outside the database
	AnchoredAt   core.Nanos `json:"anchored_at"`   // when

	Findings []Finding `json:"findings"`
	More     int       `json:"more_findings"` // that found no room
}

// Whole reports whether nothing is wrong: every entry since the first is there as it was
// written, as far as there are anchors.
func (r *Report) Whole() bool { return len(r.Findings) == 0 }

// Unanchored is how many entries have come since the newest anchor.
func (r *Report) Unanchored() int64 { return max(r.Last-r.AnchoredTo, 0) }

func (r *Report) find(kind Kind, n, to int64, format string, args ...any) {
	if len(r.Findings) == maxFindings {
		r.More++
		return
	}
	r.Findings = append(r.Findings, Finding{kind, n, to, fmt.Sprintf(format, args...)})
}
