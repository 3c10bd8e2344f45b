package hub

import "time"

// Answer builds the frames that tell a client what came of a subscription.
// resumed tells whether its private channels go on where it left off.
type Answer func(resumed bool) []byte

// From is where a private subscription resumes: after the event that Seq and Idx
// name, or after all events of Seq when HasIdx is false.
type From struct {
	Set    bool
	Seq    uint64
	Idx    uint32
	HasIdx bool
}

func (f From) position() position {
	if f.HasIdx {
		return position{f.Seq, f.Idx}
	}
	return position{f.Seq, wholeRecord}
}

// resumeAttempts bounds how often a subscription is tried again because the
// history does not reach back to its snapshot, resumePause apart: the view is then
// behind the events and is about to catch up.
const (
	resumeAttempts = 20
	resumePause    = 5 * time.Millisecond
)

// Subscribe subscribes to channels: all of them or, on an error, none. The
// answer is sent before the first frame of any of them. A channel that is
// already subscribed starts again, as if it were new. Reader goroutine; it waits
// for the private goroutine when a private channel is among them.
//
// Errors: ErrSubscriptions, ErrNoEngine, ErrOverloaded, ErrClosed.
func (c *Conn) Subscribe(channels []Channel, from From, answer Answer) error {
	public, priv := split(channels)
	if len(priv) > 0 && c.hub.private.reader == nil {
		return ErrNoEngine
	}
	added := 0
	for _, ch := range channels {
		if _, have := c.channels[ch]; !have {
			added++
		}
	}
	if len(c.channels)+added > c.hub.cfg.MaxSubscriptions {
		return ErrSubscriptions
	}
	resumed := false
	frames := answer
	if len(priv) > 0 {
		var err error
		if resumed, err = c.subscribePrivate(priv, from, answer); err != nil {
			return err
		}
		frames = nil // the answer is out
	}
	if len(public) > 0 {
		cmd := command{op: opSubscribe, conn: c, channels: public}
		if frames != nil {
			cmd.answer = frames(resumed)
		}
		if !c.hub.market.inbox.post(cmd) {
			return ErrOverloaded
		}
	}
	c.remember(channels)
	return nil
}

func (c *Conn) remember(channels []Channel) {
	if c.channels == nil {
		c.channels = make(map[Channel]struct{}, len(channels))
	}
	for _, ch := range channels {
		c.channels[ch] = struct{}{}
	}
}

// split separates public from private channels, without repetitions.
func split(channels []Channel) (public, priv []Channel) {
	seen := make(map[Channel]struct{}, len(channels))
	for _, ch := range channels {
		if _, twice := seen[ch]; twice {
			continue
		}
		seen[ch] = struct{}{}
		if _, ok := ch.Private(); ok {
			priv = append(priv, ch)
		} else {
			public = append(public, ch)
		}
	}
	return public, priv
}

// subscribePrivate resumes after from or, when it is not set or gone, starts with
// snapshots of the view. Those are taken here, on the connection's own goroutine:
// first the sequence, then what the view shows, which is at least that; the
// private goroutine then replays what came after that sequence. What is replayed
// may already show in the snapshot; every event tells a state, not a change.
func (c *Conn) subscribePrivate(channels []Channel, from From, answer Answer) (resumed bool, err error) {
	sees := newSight(c)
	if from.Set {
		gone, err := c.attach(channels, from.position(), answer(true), sees)
		if err != nil || !gone {
			return !gone, err
		}
	}
	h := c.hub
	for range resumeAttempts {
		seq := h.cfg.View.Applied()
		frames := append([]byte(nil), answer(false)...)
		for _, channel := range channels {
			ch, _ := channel.Private()
			frames = h.appendSnapshot(frames, ch, seq, sees)
		}
		gone, err := c.attach(channels, position{seq, wholeRecord}, frames, sees)
		if err != nil || !gone {
			return false, err
		}
		time.Sleep(resumePause)
	}
	return false, ErrOverloaded
}

// attach hands the subscription to the private goroutine and waits for it. What the
// connection sees is that goroutine's meanwhile, and once it is attached.
func (c *Conn) attach(channels []Channel, from position, frames []byte, sees *sight) (gone bool, err error) {
	r := &resume{from: from, newest: c.hub.cfg.View.Applied(), done: make(chan struct{})}
	cmd := command{op: opSubscribe, conn: c, channels: channels, answer: frames, resume: r, sight: sees}
	if !c.hub.private.inbox.post(cmd) {
		return false, ErrOverloaded
	}
	<-r.done
	return r.gone, nil
}

// Unsubscribe ends subscriptions; those that do not exist are ignored. After the
// answer no frame of the channels follows. Reader goroutine.
func (c *Conn) Unsubscribe(channels []Channel, answer []byte) error {
	public, priv := split(channels)
	for _, ch := range channels {
		delete(c.channels, ch)
	}
	if len(priv) > 0 && c.hub.private.reader != nil {
		cmd := command{op: opUnsubscribe, conn: c, channels: priv}
		if len(public) == 0 {
			cmd.answer, answer = answer, nil
		}
		if !c.hub.private.inbox.post(cmd) {
			return ErrOverloaded
		}
	}
	if len(public) > 0 {
		if !c.hub.market.inbox.post(command{op: opUnsubscribe, conn: c, channels: public, answer: answer}) {
			return ErrOverloaded
		}
	} else if answer != nil {
		c.Send(answer)
	}
	return nil
}
