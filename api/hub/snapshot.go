package hub

import (
	"strconv"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
)

// snapshotFrame is how many orders or positions one frame of a snapshot holds:
// a frame stays well below the limits clients set.
const snapshotFrame = 200

// appendSnapshot appends the frames a private channel starts with, as of seq, with what
// may be seen:
//
//	{"ch":"orders","seq":…,"ets":…,"rts":…,"data":{"snapshot":true,"more":false,"orders":[…]}}
//
// Executions start empty: HTTP lists old ones.
func (h *Hub) appendSnapshot(dst []byte, ch wire.Private, seq uint64, sees *sight) []byte {
	now := h.cfg.Clock.Now()
	d := h.cfg.Directory
	switch ch {
	case wire.Orders:
		list := only(sees, h.cfg.View.Orders(engine.OrderFilter{OpenOnly: true}), func(o *core.Order) bool { return sees.owner(o.Account, o.Strategy) })
		return appendChunks(dst, ch, seq, now, list, func(b []byte, o *core.Order) []byte { return wire.AppendOrder(b, d, o) })
	case wire.Positions:
		list := only(sees, h.cfg.View.Positions(engine.PositionFilter{}), func(v *engine.PositionView) bool { return sees.owner(v.Account, v.Strategy) })
		return appendChunks(dst, ch, seq, now, list, func(b []byte, v *engine.PositionView) []byte {
			return wire.AppendPosition(b, d, &v.PositionState)
		})
	case wire.Risk:
		list := only(sees, h.cfg.View.States(), func(s *engine.ScopeState) bool { return sees.node(s.Scope) })
		return appendChunks(dst, ch, seq, now, list, func(b []byte, s *engine.ScopeState) []byte {
			return wire.AppendState(b, d, s.Scope, s.State, s.Note.String())
		})
	}
	return appendChunks(dst, ch, seq, now, []core.Execution(nil), nil)
}

// only returns those of a list that may be seen, in the place of the list.
func only[T any](sees *sight, list []T, may func(*T) bool) []T {
	if sees.all {
		return list
	}
	out := list[:0]
	for i := range list {
		if may(&list[i]) {
			out = append(out, list[i])
		}
	}
	return out
}

// appendChunks appends list in frames of snapshotFrame.
func appendChunks[T any](dst []byte, ch wire.Private, seq uint64, now core.Nanos, list []T, one func([]byte, *T) []byte) []byte {
	prefix := wire.ChannelPrefix(ch.String())
	var b []byte
	for first := true; first || len(list) > 0; first = false {
		n := min(len(list), snapshotFrame)
		b = wire.AppendHead(BeginFrame(b), prefix, seq, now, now)
		b = append(b, `{"snapshot":true,"more":`...)
		b = strconv.AppendBool(b, n < len(list))
		b = append(b, `,"`...)
		b = append(b, ch.String()...)
		b = append(b, `":[`...)
		for i := range n {
			if i > 0 {
				b = append(b, ',')
			}
			b = one(b, &list[i])
		}
		list = list[n:]
		b = wire.AppendTail(append(b, ']', '}'))
		dst = append(dst, EndFrame(b, OpText)...)
	}
	return dst
}
