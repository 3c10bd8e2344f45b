package spec

import (
	"errors"
	"testing"
)

func TestJoin(t *testing.T) {
	t.Parallel()
	a := object{{Key: "a", Value: object{{Key: "x", Value: 1}}}}
	b := object{{Key: "a", Value: object{{Key: "y", Value: 2}}}, {Key: "b", Value: 3}}
	joined, err := join(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := appendJSON(nil, joined); string(got) != `{"a":{"x":1,"y":2},"b":3}` || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := join(joined, object{{Key: "a", Value: object{{Key: "y", Value: 3}}}}); !errors.Is(err, errTwice) {
		t.Errorf("a name that stands twice: %v", err)
	}
}

func TestPruneKeepsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	ref := func(name string) object { return object{{Key: "$ref", Value: "#/components/schemas/" + name}} }
	root := object{{Key: "paths", Value: []any{ref("A")}}, {Key: "components", Value: object{{Key: "schemas", Value: object{
		{Key: "A", Value: object{{Key: "items", Value: ref("B")}}}, {Key: "B", Value: ref("B")}, {Key: "C", Value: ref("A")},
	}}}}}
	prune(root)
	got, err := appendJSON(nil, member(root[1].Value.(object), "schemas"))
	if want := `{"A":{"items":{"$ref":"#/components/schemas/B"}},"B":{"$ref":"#/components/schemas/B"}}`; string(got) != want || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}
