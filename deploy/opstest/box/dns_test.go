package box

import (
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func question(t testing.TB, name string, kind dnsmessage.Type) []byte {
	t.Helper()
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}}}
	packet, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

func find(name string) []netip.Addr {
	if name == "qcat" {
		return []netip.Addr{netip.MustParseAddr("172.30.10.100")}
	}
	return nil
}

func TestAnswer(t *testing.T) {
	for _, c := range []struct {
		name    string
		kind    dnsmessage.Type
		code    dnsmessage.RCode
		answers int
	}{
		{"qcat.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, 1},
		{"QCAT.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, 1},
		{"qcat.", dnsmessage.TypeAAAA, dnsmessage.RCodeSuccess, 0},
		{"elsewhere.", dnsmessage.TypeA, dnsmessage.RCodeNameError, 0},
	} {
		packet, err := answer(question(t, c.name, c.kind), find)
		if err != nil {
			t.Fatal(err)
		}
		var m dnsmessage.Message
		if err := m.Unpack(packet); err != nil {
			t.Fatal(err)
		}
		if m.ID != 7 || !m.Response || m.RCode != c.code || len(m.Answers) != c.answers {
			t.Errorf("%s %v: %+v", c.name, c.kind, m)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(question(f, "qcat.", dnsmessage.TypeA))
	f.Fuzz(func(_ *testing.T, packet []byte) { _, _ = answer(packet, find) })
}
